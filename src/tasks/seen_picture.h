// tasks/seen_picture.h: the part of a picture that a network sees, to draw on.
//
//   const image::Picture seen = seen_picture(picture, model.transform());
#pragma once

#include "image/transform.h"

namespace nunchi::tasks {

// In the picture's own sharpness, 320 to 480 pixels on its longer side; black where the network sees beyond the edges.
image::Picture seen_picture(const image::Picture& picture, const image::Transform& transform);

}  // namespace nunchi::tasks
