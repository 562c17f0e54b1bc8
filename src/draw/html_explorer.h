// draw/html_explorer.h: a picture under heat maps among which the reader of an HtmlReport chooses.
//
//   report.explorer({.title = "Where each head looks", .picture = picture, .description = "a cat on a chair",
//                    .axes = {{"layer", {"1", "2"}}, {"head", {"mean", "1", "2", "3"}}},
//                    .rows = 14, .columns = 14, .maps = maps});      // 2 * 4 maps, the heads of layer 1 first
//
// Sliders, or buttons where there are few choices, choose the map; pointing at a patch tells its value; where a map
// was given for every patch, a click shows the map from there. Without script the page shows the chosen map.
#pragma once

#include <optional>
#include <vector>

#include "draw/color_map.h"
#include "draw/html_words.h"
#include "image/picture.h"

namespace nunchi::draw {

struct HtmlAxis {
  std::string name;                  // "layer"
  std::vector<std::string> choices;  // "1" ... "12"
  std::size_t chosen = 0;            // at first
};

struct HtmlExplorer {
  std::string title = {};
  image::Picture picture;
  std::string description;          // of the picture, for those who do not see it
  std::vector<HtmlAxis> axes = {};  // none: there is one map
  int rows = 0, columns = 0;        // of patches
  // One per combination of choices, the last axis running fastest. Each [rows * columns], or, for the clicks,
  // [1 + rows * columns, rows * columns]: what is shown before a patch is chosen, then the map from each patch. A value
  // that is not finite leaves the picture bare. Written with 16 bits each, or, with maps from each patch, with 8.
  std::vector<std::vector<float>> maps = {};
  ColorMap colors = ColorMap::viridis;
  double opacity = 0.6;                            // of the map, at first
  std::optional<float> least = {}, greatest = {};  // the ends of the colours; without: those of each map
  bool smooth = true;                              // between the middles of the patches, at first
};

// Asserts that there is a map for each combination and that each has as many values as it should. `heading` is the
// element of the title.
std::string explorer_html(const HtmlExplorer& explorer, const HtmlWords& words, std::string_view heading = "h3");

}  // namespace nunchi::draw
