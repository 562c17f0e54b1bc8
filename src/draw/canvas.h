// draw/canvas.h: a sheet to draw on (cairo for shapes, pango for text), given back as pixels, PNG or SVG in memory.
//
//   Canvas canvas(640, 360);                                     // in points; a PNG has two pixels for each
//   canvas.fill({20, 20, 100, 60}, rgb(0x0072b2));
//   const Size size = canvas.measure("고양이", {.size = 14});       // before it is drawn, so that nothing is cut
//   canvas.text("고양이", {20, 90}, {.size = 14});
//   write_file("sheet.png", canvas.png());                       // core/file.h
//
// Text may be in any script that the machine has a font for; a character that no font has becomes a box with its
// number. Lengths are in points from the upper left corner. One thread at a time may use a canvas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "image/picture.h"

namespace nunchi::draw {

struct Point {
  double x = 0, y = 0;
};

struct Size {
  double width = 0, height = 0;
};

struct Rectangle {
  double x = 0, y = 0, width = 0, height = 0;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

// Parts of sRGB in 0 ... 1.
struct Color {
  double red = 0, green = 0, blue = 0, opacity = 1;
};

constexpr Color rgb(std::uint32_t code, double opacity = 1) {  // rgb(0x0072b2)
  return {static_cast<double>(code >> 16 & 0xff) / 255, static_cast<double>(code >> 8 & 0xff) / 255,
          static_cast<double>(code & 0xff) / 255, opacity};
}

constexpr Color ink = rgb(0x1f2328), quiet_ink = rgb(0x656d76), grid_line = rgb(0xe3e6ea), paper = rgb(0xffffff);

// Okabe and Ito's colours (2008), which people with any kind of colour vision tell apart, without the yellow and the
// black that do not show on paper. Starts again after the sixth.
Color series_color(std::size_t index);

enum class Align { left, center, right };  // which part of the text stands at the point

struct TextStyle {
  double size = 12;
  bool bold = false;
  Color color = ink;
  Align align = Align::left;
  double most_width = 0;       // 0: as wide as it gets
  bool several_lines = false;  // what is too wide goes on in the next line; otherwise its middle becomes "..."
};

struct LineStyle {
  Color color = ink;
  double width = 1;
  bool dashed = false;
};

enum class Scaling { smooth, pixels };  // of pictures: antialiased, or every pixel as a square

struct CanvasOptions {
  double pixels_per_point = 2;
  Color background = paper;
  bool vector = false;  // for svg()
};

class Canvas {
 public:
  // Throws Error (input) where cairo and pango are not on this machine. Asserts that the size is positive and not
  // absurd.
  Canvas(double width, double height, const CanvasOptions& options = {});
  ~Canvas();
  Canvas(Canvas&&) noexcept;
  Canvas& operator=(Canvas&&) noexcept;

  double width() const { return width_; }
  double height() const { return height_; }

  void fill(const Rectangle& place, const Color& color, double corner_radius = 0);
  void outline(const Rectangle& place, const LineStyle& style, double corner_radius = 0);
  void circle(const Point& center, double radius, const Color& color);
  void line(std::span<const Point> points, const LineStyle& style);
  void line(const Point& from, const Point& to, const LineStyle& style);

  // Text that is not UTF-8 is mended; line breaks in it count.
  Size measure(const std::string& text, const TextStyle& style = {});
  // `at` is the upper edge of the first line. Returns what measure() says.
  Size text(const std::string& text, const Point& at, const TextStyle& style = {});

  // Fills the place; the sides need not be in the picture's proportion.
  void picture(const image::Picture& picture, const Rectangle& place, Scaling scaling = Scaling::smooth);

  // Nothing outside is drawn until the matching end_clip().
  void begin_clip(const Rectangle& place, double corner_radius = 0);
  void end_clip();

  // Not of a vector canvas.
  image::Picture pixels() const;
  std::vector<std::byte> png() const;

  // Of a vector canvas, which is finished by it. Letters are outlines: no font is needed to show it.
  std::string svg();

 private:
  double width_, height_, scale_;
  bool vector_;
  std::unique_ptr<class Sheet> sheet_;
};

// The largest size within `room` that has the picture's proportion.
Size fitted(const image::Picture& picture, const Size& room);

}  // namespace nunchi::draw
