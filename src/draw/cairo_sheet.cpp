#include "draw/sheet.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <numbers>

namespace nunchi::draw {
namespace {

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
};
template <class T>
using Owned = std::unique_ptr<T, SurfaceDeleter>;

// Cairo has no more to say than that something went wrong, and with sizes that were checked that is memory.
void require(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) throw std::bad_alloc();
}

void set_color(cairo_t* context, const Color& color) {
  cairo_set_source_rgba(context, color.red, color.green, color.blue, color.opacity);
}

void rounded_path(cairo_t* context, const Rectangle& place, double wanted) {
  const double radius = std::min({wanted, place.width / 2, place.height / 2});
  cairo_new_sub_path(context);
  if (radius <= 0) return cairo_rectangle(context, place.x, place.y, place.width, place.height);
  constexpr double quarter = std::numbers::pi / 2;
  cairo_arc(context, place.right() - radius, place.y + radius, radius, -quarter, 0);
  cairo_arc(context, place.right() - radius, place.bottom() - radius, radius, 0, quarter);
  cairo_arc(context, place.x + radius, place.bottom() - radius, radius, quarter, 2 * quarter);
  cairo_arc(context, place.x + radius, place.y + radius, radius, 2 * quarter, 3 * quarter);
  cairo_close_path(context);
}

void set_line(cairo_t* context, const LineStyle& style) {
  set_color(context, style.color);
  cairo_set_line_width(context, style.width);
  cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(context, style.dashed ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
  const std::array dashes = {4 * style.width, 3 * style.width};
  cairo_set_dash(context, dashes.data(), style.dashed ? 2 : 0, 0);
}

cairo_status_t append(void* text, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

std::string valid_utf8(const std::string& text) {
  char* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  std::string result(valid);
  g_free(valid);
  return result;
}

void set_alignment(PangoLayout* layout, Align align) {
  pango_layout_set_alignment(layout, align == Align::center  ? PANGO_ALIGN_CENTER
                                     : align == Align::right ? PANGO_ALIGN_RIGHT
                                                             : PANGO_ALIGN_LEFT);
}

Owned<PangoLayout> layout_of(cairo_t* context, const std::string& text, const TextStyle& style) {
  Owned<PangoLayout> layout(pango_cairo_create_layout(context));
  // Letters keep their exact widths at every resolution: what was measured is what is drawn.
  const auto options = cairo_font_options_create();
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options(pango_layout_get_context(layout.get()), options);
  cairo_font_options_destroy(options);
  pango_context_set_round_glyph_positions(pango_layout_get_context(layout.get()), FALSE);
  pango_layout_context_changed(layout.get());

  const Owned<PangoFontDescription> font(pango_font_description_new());
  pango_font_description_set_family(font.get(), "Noto Sans,NanumBarunGothic,Liberation Sans,DejaVu Sans,sans-serif");
  pango_font_description_set_absolute_size(font.get(), style.size * PANGO_SCALE);
  if (style.bold) pango_font_description_set_weight(font.get(), PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description(layout.get(), font.get());
  const std::string valid = valid_utf8(text);
  pango_layout_set_text(layout.get(), valid.data(), static_cast<int>(valid.size()));
  set_alignment(layout.get(), style.align);
  if (style.most_width > 0) {
    pango_layout_set_width(layout.get(), static_cast<int>(std::ceil(style.most_width * PANGO_SCALE)));
    pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
    if (!style.several_lines) pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_MIDDLE);
    if (style.several_lines && style.most_lines > 0) {
      pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
      pango_layout_set_height(layout.get(), -style.most_lines);  // below zero it counts lines
    }
  }
  return layout;
}

PangoRectangle extents_of(PangoLayout* layout) {
  PangoRectangle logical;
  pango_layout_get_extents(layout, nullptr, &logical);
  return logical;
}

// Without a single font pango would break the whole drawing at the first letter.
bool any_font() {
  const FcFontSet* fonts = FcInit() == FcTrue ? FcConfigGetFonts(nullptr, FcSetSystem) : nullptr;
  return fonts != nullptr && fonts->nfont > 0;
}

double from_pango(int length) { return static_cast<double>(length) / PANGO_SCALE; }

// -> a surface that owns its memory, every pixel opaque.
Owned<cairo_surface_t> surface_of(const image::Picture& picture) {
  Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, picture.width, picture.height));
  require(cairo_surface_status(surface.get()));
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface.get()));
  for (int y = 0; y < picture.height; ++y) {
    auto* to = reinterpret_cast<std::uint32_t*>(data + static_cast<std::size_t>(y) * stride);
    const std::uint8_t* from = picture.row(y);
    for (int x = 0; x < picture.width; ++x, from += picture.channels) {
      const std::uint32_t red = from[0], green = picture.channels == 3 ? from[1] : red,
                          blue = picture.channels == 3 ? from[2] : red;
      to[x] = red << 16 | green << 8 | blue;
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

class CairoSheet final : public Sheet {
 public:
  explicit CairoSheet(const SheetOptions& options);

  void fill(const Rectangle& place, const Color& color, double corner_radius) override;
  void outline(const Rectangle& place, const LineStyle& style, double corner_radius) override;
  void circle(const Point& center, double radius, const Color& color) override;
  void line(std::span<const Point> points, const LineStyle& style) override;
  Size measure(const std::string& text, const TextStyle& style) override;
  Size text(const std::string& text, const Point& at, const TextStyle& style) override;
  void picture(const image::Picture& picture, const Rectangle& place, Scaling scaling,
               std::span<const std::byte> jpeg) override;
  void begin_clip(const Rectangle& place, double corner_radius) override;
  void end_clip() override;
  void read_pixels(image::Picture& picture) override;
  void next_page(double width, double height) override;
  std::string file() override;
  bool has_fonts() const override { return has_fonts_; }

 private:
  bool has_fonts_ = any_font();
  std::string written_;  // of a vector surface, which lives shorter
  Owned<cairo_surface_t> surface_;
  Owned<cairo_t> context_;
};

Owned<cairo_surface_t> surface_for(const SheetOptions& options, std::string& written) {
  const double scale = options.pixels_per_point;
  cairo_surface_t* surface =
      options.medium == Medium::svg
          ? cairo_svg_surface_create_for_stream(append, &written, options.width, options.height)
      : options.medium == Medium::pdf
          ? cairo_pdf_surface_create_for_stream(append, &written, options.width, options.height)
          : cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(options.width * scale)),
                                       static_cast<int>(std::ceil(options.height * scale)));
  Owned<cairo_surface_t> owned(surface);
  require(cairo_surface_status(surface));
  return owned;
}

CairoSheet::CairoSheet(const SheetOptions& options) : surface_(surface_for(options, written_)) {
  context_.reset(cairo_create(surface_.get()));
  require(cairo_status(context_.get()));
  cairo_scale(context_.get(), options.pixels_per_point, options.pixels_per_point);
}

void CairoSheet::fill(const Rectangle& place, const Color& color, double corner_radius) {
  set_color(context_.get(), color);
  rounded_path(context_.get(), place, corner_radius);
  cairo_fill(context_.get());
}

void CairoSheet::outline(const Rectangle& place, const LineStyle& style, double corner_radius) {
  set_line(context_.get(), style);
  rounded_path(context_.get(), place, corner_radius);
  cairo_stroke(context_.get());
}

void CairoSheet::circle(const Point& center, double radius, const Color& color) {
  set_color(context_.get(), color);
  cairo_new_sub_path(context_.get());
  cairo_arc(context_.get(), center.x, center.y, radius, 0, 2 * std::numbers::pi);
  cairo_fill(context_.get());
}

void CairoSheet::line(std::span<const Point> points, const LineStyle& style) {
  if (points.empty()) return;
  set_line(context_.get(), style);
  cairo_move_to(context_.get(), points.front().x, points.front().y);
  for (const Point& point : points.subspan(1)) cairo_line_to(context_.get(), point.x, point.y);
  cairo_stroke(context_.get());
}

Size size_of(PangoLayout* layout, const TextStyle& style) {
  const auto extents = extents_of(layout);
  const Size size = {from_pango(extents.width), from_pango(extents.height)};
  return style.turned ? Size{size.height, size.width} : size;
}

Size CairoSheet::measure(const std::string& text, const TextStyle& style) {
  if (!has_fonts_) return {};
  return size_of(layout_of(context_.get(), text, style).get(), style);
}

Size CairoSheet::text(const std::string& text, const Point& at, const TextStyle& style) {
  if (!has_fonts_) return {};
  cairo_t* context = context_.get();
  const auto layout = layout_of(context, text, style);
  const Size size = size_of(layout.get(), style);
  const double share = style.align == Align::center ? 0.5 : style.align == Align::right ? 1 : 0;
  cairo_save(context);
  set_color(context, style.color);
  cairo_translate(context, at.x - share * size.width, at.y + (style.turned ? size.height : 0));
  if (style.turned) cairo_rotate(context, -std::numbers::pi / 2);
  cairo_move_to(context, -from_pango(extents_of(layout.get()).x), 0);
  pango_cairo_show_layout(context, layout.get());
  cairo_new_path(context);
  cairo_restore(context);
  return size;
}

// Cairo then writes these bytes instead of the pixels.
void attach_jpeg(cairo_surface_t* surface, std::span<const std::byte> jpeg) {
  auto* copy = new std::vector<std::byte>(jpeg.begin(), jpeg.end());
  const auto drop = [](void* bytes) { delete static_cast<std::vector<std::byte>*>(bytes); };
  require(cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG,
                                      reinterpret_cast<const unsigned char*>(copy->data()), copy->size(), drop, copy));
}

void CairoSheet::picture(const image::Picture& picture, const Rectangle& place, Scaling scaling,
                         std::span<const std::byte> jpeg) {
  const auto source = surface_of(picture);
  if (!jpeg.empty()) attach_jpeg(source.get(), jpeg);
  cairo_t* context = context_.get();
  cairo_save(context);
  cairo_rectangle(context, place.x, place.y, place.width, place.height);
  cairo_clip(context);
  cairo_translate(context, place.x, place.y);
  cairo_scale(context, place.width / picture.width, place.height / picture.height);
  cairo_set_source_surface(context, source.get(), 0, 0);
  const auto filter = scaling == Scaling::pixels ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD;
  cairo_pattern_set_filter(cairo_get_source(context), filter);
  // A PDF would hold the padded pixels, not the JPEG.
  const bool pixels = cairo_surface_get_type(surface_.get()) == CAIRO_SURFACE_TYPE_IMAGE;
  if (pixels) cairo_pattern_set_extend(cairo_get_source(context), CAIRO_EXTEND_PAD);
  cairo_paint(context);
  cairo_restore(context);
}

void CairoSheet::begin_clip(const Rectangle& place, double corner_radius) {
  cairo_save(context_.get());
  rounded_path(context_.get(), place, corner_radius);
  cairo_clip(context_.get());
}

void CairoSheet::end_clip() { cairo_restore(context_.get()); }

void CairoSheet::read_pixels(image::Picture& picture) {
  cairo_surface_flush(surface_.get());
  require(cairo_status(context_.get()));
  const unsigned char* data = cairo_image_surface_get_data(surface_.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface_.get()));
  for (int y = 0; y < picture.height; ++y) {
    const auto* from = reinterpret_cast<const std::uint32_t*>(data + static_cast<std::size_t>(y) * stride);
    std::uint8_t* to = picture.row(y);
    for (int x = 0; x < picture.width; ++x, to += 3) {
      to[0] = static_cast<std::uint8_t>(from[x] >> 16);
      to[1] = static_cast<std::uint8_t>(from[x] >> 8);
      to[2] = static_cast<std::uint8_t>(from[x]);
    }
  }
}

void CairoSheet::next_page(double width, double height) {
  cairo_show_page(context_.get());
  cairo_pdf_surface_set_size(surface_.get(), width, height);
  require(cairo_status(context_.get()));
}

std::string CairoSheet::file() {
  cairo_surface_finish(surface_.get());
  require(cairo_surface_status(surface_.get()));
  return written_;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) Sheet* nunchi_make_sheet(const SheetOptions& options) {
  return new CairoSheet(options);
}

}  // namespace nunchi::draw
