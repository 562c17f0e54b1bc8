// models/picture.h: what convolutional networks ask of their input.
#pragma once

#include "ops/tensor.h"

namespace nunchi::models {

// Throws Error (input) where the tensor is not [b, channels, h, w].
void require_picture(const Tensor& image, std::int64_t channels);

}  // namespace nunchi::models
