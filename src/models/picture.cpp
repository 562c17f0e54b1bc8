#include "models/picture.h"

#include <fmt/format.h>

#include "core/error.h"

namespace nunchi::models {

void require_picture(const Tensor& image, std::int64_t channels) {
  if (image.dim() == 4 && image.size(1) == channels) return;
  throw Error(ErrorKind::input,
              fmt::format("expected a picture [b, {}, h, w], found {}", channels, to_string(image.sizes())));
}

}  // namespace nunchi::models
