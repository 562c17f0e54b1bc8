// image/resize.h: antialiased resizing of 8-bit pictures, equal to Pillow's Image.resize bit for bit.
//
// Two backends. pil: fixed-point weights of 22 bits, 8 bits between the passes, and the order of the passes
// that Pillow 13 chooses. torchvision:
// what its v2 resize does with a uint8 tensor on the CPU (ATen's antialiased kernel, 16-bit weights), bilinear and
// bicubic. The SIMD kernels (core/isa.h) are exact: every instruction set gives the same bytes.
//
//   Picture small = resize(picture, 224, 224, {.filter = Filter::bicubic});
//   Picture face = resize(picture, 64, 64, {.box = Box{10.5f, 20, 90, 99.5f}});
//   Picture middle = resize(picture, 298, 224, {.window = Window{37, 0, 224, 224}});   // only this part is computed
#pragma once

#include <optional>

#include "core/isa.h"
#include "image/picture.h"

namespace nunchi::image {

// The numbers are Pillow's codes, as they stand in preprocessor_config.json under "resample".
enum class Filter { nearest = 0, lanczos = 1, bilinear = 2, bicubic = 3, box = 4, hamming = 5 };

enum class Backend { pil, torchvision };

// The part of the source that is resized, in pixels; inside the picture.
struct Box {
  float left = 0, top = 0, right = 0, bottom = 0;
};

// The part of the result that is wanted.
struct Window {
  int left = 0, top = 0, width = 0, height = 0;
};

struct ResizeOptions {
  Filter filter = Filter::bicubic;
  Backend backend = Backend::pil;
  std::optional<Box> box;        // pil only; without: the whole picture
  std::optional<Window> window;  // without: the whole result
  std::optional<Isa> isa;        // without: chosen_isa()
};

// Throws Error (usage) where the backend has no such filter; asserts that sizes are positive and box and window fit.
Picture resize(const Picture& picture, int width, int height, const ResizeOptions& options = {});

}  // namespace nunchi::image
