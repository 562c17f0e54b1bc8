// draw/sheet.h: what a canvas draws on: cairo and pango behind a border of plain functions.
//
// They are a module of their own (cairo_sheet.cpp, libnunchi_cairo.so), loaded when the first thing is drawn: the
// thirty libraries behind them would add 25 ms to every start of the program, whatever it is asked to do. So nothing of
// ours is called in there but what headers hold.
#pragma once

#include <memory>

#include "draw/canvas.h"

namespace nunchi::draw {

struct SheetOptions {
  double width = 0, height = 0;  // points
  double pixels_per_point = 1;
  Medium medium = Medium::pixels;
};

// The words of Canvas, whose comments hold here too. Every function may throw std::bad_alloc.
class Sheet {
 public:
  virtual ~Sheet() = default;

  virtual void fill(const Rectangle& place, const Color& color, double corner_radius) = 0;
  virtual void outline(const Rectangle& place, const LineStyle& style, double corner_radius) = 0;
  virtual void circle(const Point& center, double radius, const Color& color) = 0;
  virtual void line(std::span<const Point> points, const LineStyle& style) = 0;
  virtual Size measure(const std::string& text, const TextStyle& style) = 0;
  virtual Size text(const std::string& text, const Point& at, const TextStyle& style) = 0;
  // `jpeg`: the same picture, for a vector file; may be empty.
  virtual void picture(const image::Picture& picture, const Rectangle& place, Scaling scaling,
                       std::span<const std::byte> jpeg) = 0;
  virtual void begin_clip(const Rectangle& place, double corner_radius) = 0;
  virtual void end_clip() = 0;

  virtual void read_pixels(image::Picture& picture) = 0;    // which has the sheet's size already
  virtual void next_page(double width, double height) = 0;  // of a PDF
  virtual std::string file() = 0;                           // SVG or PDF; nothing can be drawn after it
  virtual bool has_fonts() const = 0;                       // without any, text is nothing and has no size
};

// The one function of the module, exported as nunchi_make_sheet.
using MakeSheet = Sheet*(const SheetOptions&);

}  // namespace nunchi::draw
