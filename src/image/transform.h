// image/transform.h: what a checkpoint's processor does between a picture and the numbers its network reads.
//
// A Transform is plain data, read from the checkpoint's own files and never from defaults of ours. The result equals,
// bit for bit in float32, transformers' PIL-backed image processors and timm's create_transform with PIL.
//
//   const Transform transform = transform_from_preprocessor_config(read_json(dir / "preprocessor_config.json"),
//   config); PixelValues values = apply(transform, read_picture("cat.jpg"));            // [channels, height, width]
//   PixelValues larger = apply(with_size(transform, 448, 448), picture);        // --size: exactly so, no crop
//   fmt::print("{}", describe(transform));                                      // one step a line
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "image/decode.h"
#include "image/picture.h"
#include "image/resize.h"

namespace nunchi::image {

struct Size {
  int height = 0, width = 0;
  bool operator==(const Size&) const = default;
};

enum class ResizeMode {
  none,
  exact,          // to `size`, the aspect ratio is not kept
  shortest_edge,  // the shorter side to `size.height`; the longer one truncated, and capped by `longest` where set
  longest_edge,   // the longer side to `size.height`, the other rounded half up (SAM)
  fit_inside,     // as large as fits into `size`, both sides truncated (max_height, max_width)
  cover,          // timm: the smallest that covers `size`, both sides rounded half to even
  contain,        // timm: the largest inside `size`, both sides rounded half to even
};

struct ResizeStep {
  ResizeMode mode = ResizeMode::none;
  Size size;
  std::optional<int> longest;
  Filter filter = Filter::bilinear;
};

// Where the odd pixel goes when a centre crop cannot be exactly central.
enum class CropRounding {
  floor,      // transformers
  half_even,  // timm and torchvision
  truncate,   // transformers on torchvision
};

struct CropStep {
  Size size;  // what a smaller picture lacks is filled
  CropRounding rounding = CropRounding::floor;
  std::array<std::uint8_t, 3> fill{0, 0, 0};
};

// How a byte becomes a real number; the formulas differ in their last bit.
enum class Scaling {
  none,
  multiply,  // float32(float64(x) * factor): transformers
  divide,    // float32(x) / float32(factor): timm
  single,    // float32(x) * float32(factor): transformers on tensors, where nothing is fused
  fused,     // factor goes into mean and std: transformers on torchvision
};

struct Normalize {
  std::array<double, 3> mean{0, 0, 0}, std{1, 1, 1};
};

struct Transform {
  std::string source;  // the class or library that this follows: "ViTImageProcessor", "timm"
  bool apply_exif_orientation = true;
  Backend backend = Backend::pil;
  ResizeStep resize;
  bool scale_before_resize = false;  // DINOv3: real numbers are resized, by torchvision
  std::optional<CropStep> crop;
  Scaling scaling = Scaling::none;
  double factor = 1.0;
  bool minus_one = false;  // EfficientNet: 1 is subtracted after scaling
  std::optional<Normalize> normalize;
  bool divide_by_std_again = false;  // EfficientNet: include_top
  bool flip_channels = false;        // the network reads BGR
  std::optional<Size> pad;           // zeros to the right and below, after everything else
};

// `preprocessor` is preprocessor_config.json or processor_config.json (its nested "image_processor"); `config` is
// config.json, which names the model type where the former names no class. Fields that are left out take the default
// of that class. Throws Error (model) where the class is unknown or a field makes no sense.
Transform transform_from_preprocessor_config(const Json& preprocessor, const Json& config);

// timm's pretrained_cfg, or a config.json that contains one; as timm.data.create_transform(is_training=False).
Transform transform_from_timm(const Json& pretrained_cfg);

// A preset of torchvision's ImageClassification ("resize_size", "crop_size", "interpolation", "mean", "std") on a PIL
// picture.
Transform transform_from_torchvision(const Json& preset);

// The reverse: preprocessor_config.json for transformers, the fields of pretrained_cfg for timm. The numbers agree to
// float rounding, a crop that cannot be central to one pixel. Throws Error (usage) where the publisher has no words for
// a step.
Json preprocessor_config(const Transform& transform);
Json pretrained_cfg(const Transform& transform);

// The same arithmetic on a picture that is resized to exactly height x width, without crop and padding.
Transform with_size(Transform transform, int height, int width);

// What transformers does with the same file where its torchvision backend is chosen: other kernels, fused arithmetic.
Transform on_torchvision(Transform transform);

struct PixelValues {
  int channels = 0, height = 0, width = 0;
  Buffer<float> values;  // [channels, height, width]
};

// The size of the result for a picture of size `input`. Throws Error (input) where the sizes cannot be.
Size output_size(const Transform& transform, Size input);

PixelValues apply(const Transform& transform, const Picture& picture);

// How a file is read for this transform: turned as EXIF says only where the transform wants it, too.
DecodeOptions decoding_for(const Transform& transform, DecodeOptions options);

// `destination` holds 3 * height * width of output_size().
void apply_into(const Transform& transform, const Picture& picture, std::span<float> destination);

// In words, one step a line: "shortest side to 256 (bilinear)", "centre crop 224x224", "x / 255".
std::string describe(const Transform& transform);

}  // namespace nunchi::image
