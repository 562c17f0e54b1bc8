#include "draw/canvas.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include "core/assert.h"
#include "core/log.h"
#include "draw/sheet.h"
#include "image/encode.h"
#include "image/resize.h"

namespace nunchi::draw {
namespace {

MakeSheet* load_module() {
  constexpr const char* name = "libnunchi_cairo.so";
  void* module = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  auto* make = module == nullptr ? nullptr : reinterpret_cast<MakeSheet*>(dlsym(module, "nunchi_make_sheet"));
  if (make != nullptr) return make;
  throw Error(ErrorKind::input,
              fmt::format("nothing can be drawn: expected {} beside libnunchi.so and the packages libcairo2 and "
                          "libpangocairo-1.0-0 on this system; the loader says: {}",
                          name, dlerror()));
}

std::unique_ptr<Sheet> make_sheet(const SheetOptions& options) {
  static MakeSheet* const make = load_module();
  std::unique_ptr<Sheet> sheet(make(options));
  static std::once_flag told;
  if (!sheet->has_fonts()) {
    std::call_once(told, [] {
      log(LogLevel::warning, "this system has no fonts: pictures are drawn without text (install fonts-dejavu-core)");
    });
  }
  return sheet;
}

void require_sensible(double width, double height) {
  constexpr double largest = 20'000;  // pixels; cairo's own limit is 32767
  ASSERT(width > 0 && height > 0 && width <= largest && height <= largest, "a canvas of sensible size");
}

}  // namespace

Canvas::Canvas(double width, double height, const CanvasOptions& options)
    : width_(width),
      height_(height),
      scale_(options.medium == Medium::pixels ? options.pixels_per_point : 1),
      medium_(options.medium),
      theme_(options.theme) {
  require_sensible(width * scale_, height * scale_);
  sheet_ = make_sheet({.width = width, .height = height, .pixels_per_point = scale_, .medium = medium_});
  fill({0, 0, width + 1, height + 1}, theme_.paper);
}

Canvas::~Canvas() = default;
Canvas::Canvas(Canvas&&) noexcept = default;
Canvas& Canvas::operator=(Canvas&&) noexcept = default;

void Canvas::fill(const Rectangle& place, const Color& color, double corner_radius) {
  sheet_->fill(place, color, corner_radius);
}

void Canvas::outline(const Rectangle& place, const LineStyle& style, double corner_radius) {
  sheet_->outline(place, style, corner_radius);
}

void Canvas::circle(const Point& center, double radius, const Color& color) { sheet_->circle(center, radius, color); }

void Canvas::line(std::span<const Point> points, const LineStyle& style) { sheet_->line(points, style); }

void Canvas::line(const Point& from, const Point& to, const LineStyle& style) {
  const std::array points = {from, to};
  sheet_->line(points, style);
}

Size Canvas::measure(const std::string& text, const TextStyle& style) { return sheet_->measure(text, style); }

Size Canvas::text(const std::string& text, const Point& at, const TextStyle& style) {
  return sheet_->text(text, at, style);
}

// Pictures are brought to the size they will have by the resize that is antialiased both ways; cairo's is not. In a
// vector file they are only made smaller.
void Canvas::picture(const image::Picture& picture, const Rectangle& place, Scaling scaling) {
  ASSERT(picture.width > 0 && picture.height > 0 && place.width > 0 && place.height > 0, "a picture has a size");
  const int width = std::max(1, static_cast<int>(std::lround(place.width * resolution())));
  const int height = std::max(1, static_cast<int>(std::lround(place.height * resolution())));
  const bool vector = medium_ != Medium::pixels, small = picture.width <= width || picture.height <= height;
  const bool as_it_is = scaling == Scaling::pixels || (vector && small);
  const auto resized = as_it_is ? image::Picture{} : image::resize(picture, width, height);
  const auto& drawn = as_it_is ? picture : resized;
  constexpr int quality = 90;
  const bool lossy = vector && scaling == Scaling::photo;
  const auto jpeg = lossy ? image::encode_jpeg(drawn, quality) : std::vector<std::byte>();
  sheet_->picture(drawn, place, scaling, jpeg);
}

void Canvas::begin_clip(const Rectangle& place, double corner_radius) { sheet_->begin_clip(place, corner_radius); }

void Canvas::end_clip() { sheet_->end_clip(); }

image::Picture Canvas::pixels() const {
  ASSERT(medium_ == Medium::pixels, "a vector canvas has no pixels");
  auto picture =
      image::make_picture(static_cast<int>(std::ceil(width_ * scale_)), static_cast<int>(std::ceil(height_ * scale_)));
  sheet_->read_pixels(picture);
  return picture;
}

std::vector<std::byte> Canvas::png() const { return image::encode_png(pixels()); }

std::string Canvas::svg() {
  ASSERT(medium_ == Medium::svg, "only a canvas for SVG becomes one");
  return sheet_->file();
}

void Canvas::next_page(double width, double height, const Theme& theme) {
  ASSERT(medium_ == Medium::pdf, "only a PDF has pages");
  require_sensible(width, height);
  width_ = width;
  height_ = height;
  theme_ = theme;
  sheet_->next_page(width, height);
  fill({0, 0, width + 1, height + 1}, theme_.paper);
}

std::string Canvas::pdf() {
  ASSERT(medium_ == Medium::pdf, "only a canvas for PDF becomes one");
  return sheet_->file();
}

Color series_color(std::size_t index) {
  constexpr std::array codes = {0x0072b2u, 0xd55e00u, 0x009e73u, 0xcc79a7u, 0xe69f00u, 0x56b4e9u};
  return rgb(codes[index % codes.size()]);
}

Size fitted(const image::Picture& picture, const Size& room) {
  const double scale = std::min(room.width / picture.width, room.height / picture.height);
  return {picture.width * scale, picture.height * scale};
}

}  // namespace nunchi::draw
