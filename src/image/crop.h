// image/crop.h: a part of a picture.
#pragma once

#include "image/picture.h"
#include "image/resize.h"

namespace nunchi::image {

// Throws Error (input) where the window is empty or reaches out of the picture.
Picture crop(const Picture& picture, const Window& window);

}  // namespace nunchi::image
