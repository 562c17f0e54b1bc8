// draw/color_map.h: numbers to colours whose lightness tells the order, and class numbers to colours that differ.
//
//   const Color color = color_of(ColorMap::viridis, 0.7);             // 0 ... 1, dark to light
//   const Color side = color_of(ColorMap::diverging, 0.5 + 0.5 * x);  // x in -1 ... 1: blue, white, red
//   const Color dog = class_color(5);                                 // the same in every picture
//
// viridis: by Stefan van der Walt and Nathaniel Smith (2015, CC0), every fifteenth of its 256 published colours.
// diverging: RdBu with 11 classes, by Cynthia Brewer and Mark Harrower (colorbrewer2.org), from blue to red.
// turbo: by Anton Mikhailov (Google 2019, Apache 2.0), every fifteenth of its 256 published colours. Between the
// published colours all three are interpolated linearly. jet: the corners of MATLAB's. In turbo and jet hot is red;
// their lightness rises and falls, so they are for those who ask for them.
#pragma once

#include <optional>
#include <string_view>

#include "draw/canvas.h"

namespace nunchi::draw {

enum class ColorMap { viridis, diverging, turbo, jet };

// `share` outside 0 ... 1 counts as the nearer end; a share that is no number is grey.
Color color_of(ColorMap map, double share);

// "viridis", "diverging", "turbo", "jet": in the order of the enum.
const std::vector<std::string>& color_map_names();
std::optional<ColorMap> color_map_from_name(std::string_view name);

// One of class_colors fixed colours: equal ids have equal colours everywhere, and ids that far apart share one. The
// first seven are those of Okabe and Ito (2008) without black; each of the others is as far as one of 4,096 can be from
// all before it, in CIELAB and as the nearer of what people with and without red-green blindness see.
Color class_color(std::size_t id);
constexpr std::size_t class_colors = 24;

// L* of CIE 1976 under D65, 0 black ... 100 white.
double lightness(const Color& color);

// Ink or paper: what can be read on it.
Color readable_on(const Color& background);

}  // namespace nunchi::draw
