// draw/overlay.h: a heat map laid over a picture: where a network looks.
//
//   const HeatMap map = {.rows = 14, .columns = 14, .values = attention};    // one value per patch
//   write_file("attention.png", image::encode_png(overlay(picture, map)));   // core/file.h, image/encode.h
#pragma once

#include <optional>

#include "draw/color_map.h"

namespace nunchi::draw {

struct HeatMap {
  int rows = 0, columns = 0;
  std::vector<float> values;  // [rows, columns]; the whole of the picture, each value the middle of its share
};

struct OverlayOptions {
  ColorMap colors = ColorMap::viridis;
  double opacity = 0.6;                  // of the heat map
  bool patches = false;                  // every patch in one colour; otherwise bilinear between their middles
  std::optional<float> least, greatest;  // the ends of the colours; without: those of the map
};

// As large as the picture, RGB. Asserts that the map has as many values as it says, and at least one.
image::Picture overlay(const image::Picture& picture, const HeatMap& map, const OverlayOptions& options = {});

// The map between the middles of its patches, as overlay() sees it; x and y in 0 ... 1 of the picture.
float value_at(const HeatMap& map, double x, double y);

}  // namespace nunchi::draw
