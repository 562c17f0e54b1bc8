// explain/upsample.h: a map with one value per patch at the resolution of the picture, its edges where the picture's
// are.
//
//   const Tensor fine = joint_bilateral_upsample(map, picture);   // map [c, rows, columns] -> [c, height, width]
//
// Kopf, Cohen, Lischinski and Uyttendaele 2007, "Joint bilateral upsampling": the value of a pixel is the mean of the
// patches around it, each counted by how near it is and how alike its colour is to the pixel's. Nothing is solved or
// learned, and every value is a mean of those given.
#pragma once

#include "image/picture.h"
#include "ops/tensor.h"

namespace nunchi::explain {

struct UpsampleOptions {
  double distance = 0.75;  // deviation of the Gaussian over the distance, in patches
  double color = 0.12;     // and over the distance of two colours, each channel 0 ... 1
  int radius = 2;          // patches to each side that count
};

// map [c, rows, columns] of any float type -> float [c, height, width] of the picture, which the map covers entirely.
Tensor joint_bilateral_upsample(const Tensor& map, const image::Picture& picture, const UpsampleOptions& options = {});

}  // namespace nunchi::explain
