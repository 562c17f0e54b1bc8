#include "image/crop.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace nunchi::image {

Picture crop(const Picture& picture, const Window& window) {
  const bool inside = window.left >= 0 && window.top >= 0 && window.width > 0 && window.height > 0 &&
                      window.left <= picture.width - window.width && window.top <= picture.height - window.height;
  if (!inside) {
    throw Error(ErrorKind::input,
                fmt::format("a part of {}x{} pixels from {},{} on does not lie in a picture of {}x{} (width x height)",
                            window.width, window.height, window.left, window.top, picture.width, picture.height));
  }
  Picture part = make_picture(window.width, window.height, picture.channels);
  for (int y = 0; y < window.height; ++y) {
    const auto* first = picture.row(window.top + y) + static_cast<std::ptrdiff_t>(window.left) * picture.channels;
    std::copy(first, first + part.row_bytes(), part.row(y));
  }
  return part;
}

}  // namespace nunchi::image
