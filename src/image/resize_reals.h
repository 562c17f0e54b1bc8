// image/resize_reals.h: antialiased resizing of real numbers, equal bit for bit to what LibTorch's kernel for x86 makes
// of a float tensor: torchvision's resize of what transformers' DINOv3 processor has scaled before.
//
//   Plane small = resize_reals(plane, 224, 224, Filter::bilinear);
#pragma once

#include <vector>

#include "image/resize.h"

namespace nunchi::image {

struct Plane {
  int width = 0, height = 0;
  std::vector<float> values;  // [height, width]
};

// Throws Error (usage) for filters other than bilinear and bicubic.
Plane resize_reals(const Plane& plane, int width, int height, Filter filter);

}  // namespace nunchi::image
