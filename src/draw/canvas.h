// draw/canvas.h: a sheet to draw on (cairo for shapes, pango for text), given back as pixels, PNG, SVG or PDF in
// memory.
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

// What a sheet and the words on it look like.
struct Theme {
  Color ink = draw::ink, quiet_ink = draw::quiet_ink, grid_line = draw::grid_line, paper = draw::paper;
};

constexpr Theme light_theme = {};
constexpr Theme dark_theme = {rgb(0xe8eaed), rgb(0xa3abb5), rgb(0x343a42), rgb(0x14171b)};

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
  bool turned = false;  // to be read from below; then `most_width` is a height, and what measure() says is turned too
  int most_lines = 0;   // of several: the end of what does not fit becomes "..."; 0: as many as it takes
};

struct LineStyle {
  Color color = ink;
  double width = 1;
  bool dashed = false;
};

// Of pictures: antialiased; the same, and a vector file holds a JPEG, a tenth of the size; every pixel as a square.
enum class Scaling { smooth, photo, pixels };

enum class Medium { pixels, svg, pdf };

struct CanvasOptions {
  Medium medium = Medium::pixels;
  double pixels_per_point = 2;  // of pixels
  Theme theme = light_theme;    // its paper is the ground
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
  const Theme& theme() const { return theme_; }

  // How many pixels a picture needs for each point: more are of no use. 4 for a vector file, 288 an inch of paper.
  double resolution() const { return medium_ == Medium::pixels ? scale_ : 4; }

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

  // Of Medium::pixels.
  image::Picture pixels() const;
  std::vector<std::byte> png() const;

  // Of Medium::svg, which is finished by it. Letters are outlines: no font is needed to show it.
  std::string svg();

  // Of Medium::pdf: one more page, drawn on from now; and the file, which finishes the canvas. The fonts are inside,
  // the words can be selected and searched.
  void next_page(double width, double height, const Theme& theme = light_theme);
  std::string pdf();

 private:
  double width_, height_, scale_;
  Medium medium_;
  Theme theme_;
  std::unique_ptr<class Sheet> sheet_;
};

// The largest size within `room` that has the picture's proportion.
Size fitted(const image::Picture& picture, const Size& room);

}  // namespace nunchi::draw
