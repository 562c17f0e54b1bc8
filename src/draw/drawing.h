// draw/drawing.h: one description of a picture, written as PNG, SVG or PDF.
//
//   const Drawing curve = drawing(chart);                     // of a LineChart, a Figure, a SimilarityMatrix ...
//   write_drawing("curve.pdf", curve);                        // or .svg, .png
//   write_pdf("report.pdf", std::array{curve, drawing(figure)});
//   Drawing own{.width = 300, .height = 200, .draw = [](Canvas& canvas) { canvas.circle({150, 100}, 50, rgb(0xd55e00));
//   }};
#pragma once

#include <filesystem>
#include <functional>

#include "draw/canvas.h"

namespace nunchi::draw {

struct Drawing {
  double width = 0, height = 0;  // points
  std::function<void(Canvas&)> draw;
  Theme theme = light_theme;
};

std::vector<std::byte> png_of(const Drawing& drawing, double pixels_per_point = 2);
std::string svg_of(const Drawing& drawing);
std::string pdf_of(std::span<const Drawing> pages);  // one or more; each page has the size of its drawing

// Throws Error (usage) where the name does not end in .png, .svg or .pdf, in either case: to be called before the work
// whose result is to be drawn.
void require_drawable(const std::filesystem::path& path);

// What the end of the name says. Throws Error (usage) as require_drawable() does, Error (input) where the file cannot
// be written.
void write_drawing(const std::filesystem::path& path, const Drawing& drawing);
void write_pdf(const std::filesystem::path& path, std::span<const Drawing> pages);

}  // namespace nunchi::draw
