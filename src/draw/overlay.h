// draw/overlay.h: a heat map or the places of classes laid over a picture: where a network looks, what it finds where.
//
//   const HeatMap map = {.rows = 14, .columns = 14, .values = attention};    // one value per patch
//   write_file("attention.png", image::encode_png(overlay(picture, map)));   // core/file.h, image/encode.h
//   const auto masks = overlay(picture, LabelMap{.rows = 480, .columns = 640, .labels = ids}, {.outline = 2});
//   const auto half = contour(picture, map, {.level = 0.5f});
//
// All results are as large as the picture, RGB.
#pragma once

#include <array>
#include <optional>
#include <span>

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
  bool opacity_by_value = false;         // none at the least value, rising to `opacity` at the greatest
};

// Asserts that the map has as many values as it says, and at least one.
image::Picture overlay(const image::Picture& picture, const HeatMap& map, const OverlayOptions& options = {});

// The colours of the map alone.
image::Picture heat_picture(const HeatMap& map, int width, int height, const OverlayOptions& options = {});

// The map between the middles of its patches, as overlay() sees it; x and y in 0 ... 1 of the picture.
float value_at(const HeatMap& map, double x, double y);

// The least and the greatest value that is a number; 0 and 0 where there is none.
std::array<float, 2> ends_of(const HeatMap& map);

struct ContourOptions {
  float level = 0.5f;
  Color color = rgb(0xffffff);
  double width = 2;  // pixels
};

// Where the map as value_at() sees it crosses the level: pieces of lines, in 0 ... 1 of the picture. Places without a
// number have none.
std::vector<std::array<Point, 2>> contour_lines(const HeatMap& map, float level);

// Those drawn onto the picture, antialiased.
image::Picture contour(const image::Picture& picture, const HeatMap& map, const ContourOptions& options = {});

// Which class, segment or cluster is where.
struct LabelMap {
  int rows = 0, columns = 0;
  std::vector<int> labels;  // [rows, columns]; below zero: nothing is there
};

struct LabelOptions {
  double opacity = 0.5;
  int ignored = -1;                // one more label that stands for nothing: the background's, or 255 of many datasets
  bool smooth = false;             // rounds the corners of a map of few rows; otherwise every patch is a square
  int outline = 0;                 // pixels along the inner edges of each place, in the full colour
  std::vector<Color> colors = {};  // of the labels; without one: class_color(label)
};

// Pixels without a label stay as they are, bit for bit. Asserts that the map has as many labels as it says.
image::Picture overlay(const image::Picture& picture, const LabelMap& map, const LabelOptions& options = {});

Color color_of_label(int label, const LabelOptions& options = {});

// Where one object is, or what one head reads. Several may overlap.
struct Mask {
  int rows = 0, columns = 0;
  std::vector<bool> inside;  // [rows, columns] over the whole of the picture
};

struct MaskOptions {
  std::size_t most = 10;  // the largest; the others are left out
  double opacity = 0.4;
};

// Each in class_color() of its place in the list, the largest first, so that small ones lie on top. Pixels outside all
// of them stay as they are, bit for bit. Asserts that each has as many values as it says.
image::Picture overlay(const image::Picture& picture, std::span<const Mask> masks, const MaskOptions& options = {});

// Their places in the list, the one with the largest share of the picture first; of equal ones the first.
std::vector<std::size_t> largest_masks(std::span<const Mask> masks, std::size_t most);

// The map in the size of a picture: [height, width], -1 where there is nothing.
LabelMap labels_of_pixels(const LabelMap& map, int width, int height, const LabelOptions& options = {});

}  // namespace nunchi::draw
