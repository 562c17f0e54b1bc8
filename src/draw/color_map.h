// draw/color_map.h: numbers to colours whose lightness tells the order, in print without colour too.
//
//   const Color color = color_of(ColorMap::viridis, 0.7);             // 0 ... 1, dark to light
//   const Color side = color_of(ColorMap::diverging, 0.5 + 0.5 * x);  // x in -1 ... 1: blue, white, red
//
// viridis: by Stefan van der Walt and Nathaniel Smith (2015, CC0), every fifteenth of its 256 published colours.
// diverging: RdBu with 11 classes, by Cynthia Brewer and Mark Harrower (colorbrewer2.org), from blue to red. Between
// the published colours both are interpolated linearly.
#pragma once

#include "draw/canvas.h"

namespace nunchi::draw {

enum class ColorMap { viridis, diverging };

// `share` outside 0 ... 1 counts as the nearer end; a share that is no number is grey.
Color color_of(ColorMap map, double share);

// L* of CIE 1976 under D65, 0 black ... 100 white.
double lightness(const Color& color);

// Ink or paper: what can be read on it.
Color readable_on(const Color& background);

}  // namespace nunchi::draw
