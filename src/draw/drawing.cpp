#include "draw/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/assert.h"
#include "core/file.h"

namespace nunchi::draw {
namespace {

Canvas drawn(const Drawing& drawing, const CanvasOptions& options) {
  Canvas canvas(drawing.width, drawing.height, options);
  drawing.draw(canvas);
  return canvas;
}

std::optional<Medium> medium_of(const std::filesystem::path& path) {
  std::string end = path.extension().string();
  std::ranges::transform(end, end.begin(), [](unsigned char letter) { return std::tolower(letter); });
  if (end == ".png") return Medium::pixels;
  if (end == ".svg") return Medium::svg;
  if (end == ".pdf") return Medium::pdf;
  return std::nullopt;
}

}  // namespace

std::vector<std::byte> png_of(const Drawing& drawing, double pixels_per_point) {
  return drawn(drawing, {.pixels_per_point = pixels_per_point, .theme = drawing.theme}).png();
}

std::string svg_of(const Drawing& drawing) {
  return drawn(drawing, {.medium = Medium::svg, .theme = drawing.theme}).svg();
}

std::string pdf_of(std::span<const Drawing> pages) {
  ASSERT(!pages.empty(), "a PDF has a page");
  auto canvas = drawn(pages.front(), {.medium = Medium::pdf, .theme = pages.front().theme});
  for (const Drawing& page : pages.subspan(1)) {
    canvas.next_page(page.width, page.height, page.theme);
    page.draw(canvas);
  }
  return canvas.pdf();
}

void require_drawable(const std::filesystem::path& path) {
  if (medium_of(path)) return;
  throw Error(ErrorKind::usage,
              fmt::format("{}: expected a name that ends in .png, .svg or .pdf, found {}", path.string(),
                          path.has_extension() ? path.extension().string() : "no such end"));
}

void write_drawing(const std::filesystem::path& path, const Drawing& drawing) {
  require_drawable(path);
  switch (*medium_of(path)) {
    case Medium::pixels:
      return write_file(path, png_of(drawing));
    case Medium::svg:
      return write_file(path, svg_of(drawing));
    case Medium::pdf:
      return write_pdf(path, {&drawing, 1});
  }
}

void write_pdf(const std::filesystem::path& path, std::span<const Drawing> pages) { write_file(path, pdf_of(pages)); }

}  // namespace nunchi::draw
