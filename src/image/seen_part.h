// image/seen_part.h: which part of a picture a transform keeps: to lay what the network says over the picture itself.
//
//   const Box part = seen_part(transform, {picture.height, picture.width});
#pragma once

#include "image/transform.h"

namespace nunchi::image {

// In pixels of a picture of size `input`. Reaches out of the picture where crop or padding are larger than what was
// resized. Throws as output_size().
Box seen_part(const Transform& transform, Size input);

}  // namespace nunchi::image
