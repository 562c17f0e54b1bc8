// draw/matrix.h: a square table of numbers between things, each shown by a thumbnail: which pictures are alike.
//
//   SimilarityMatrix matrix{.title = "Which pictures are alike", .names = names, .thumbnails = pictures, .values =
//   cosines}; write_drawing("similar.png", drawing(matrix));
#pragma once

#include "draw/color_map.h"
#include "draw/drawing.h"

namespace nunchi::draw {

struct SimilarityMatrix {
  std::string title = {}, subtitle = {};
  std::vector<std::string> names;
  std::vector<image::Picture> thumbnails;  // one per name, or none at all
  std::vector<double> values;              // [names, names], row by row
  double least = -1, greatest = 1;         // the ends of the colour map
  ColorMap colors = ColorMap::diverging;
  double width = 760;  // points; the height follows
};

// Asserts that the numbers of names, thumbnails and values fit, and that there is at least one. Figures stand in the
// cells as long as they fit.
Drawing drawing(const SimilarityMatrix& matrix, const Theme& theme = light_theme);

}  // namespace nunchi::draw
