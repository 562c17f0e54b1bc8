#include "core/error.h"
#include "image/transform.h"
#include "image/transform_fields.h"

namespace nunchi::image {

Transform transform_from_torchvision(const Json& preset) {
  const int resize = get_or(preset, "resize_size", 256), crop = get_or(preset, "crop_size", 224);
  if (resize < 1 || crop < 1 || resize > 1 << 20 || crop > 1 << 20)
    throw Error(ErrorKind::model, fmt::format("fields \"resize_size\" and \"crop_size\": expected numbers of pixels, "
                                              "found {} and {}",
                                              resize, crop));
  const bool bicubic = get_or<std::string>(preset, "interpolation", "bilinear") == "bicubic";
  Transform transform{.source = "torchvision", .apply_exif_orientation = false};
  transform.resize = {.mode = ResizeMode::shortest_edge,
                      .size = {resize, resize},
                      .longest = {},
                      .filter = bicubic ? Filter::bicubic : Filter::bilinear};
  transform.crop = CropStep{.size = {crop, crop}, .rounding = CropRounding::half_even};
  transform.scaling = Scaling::divide;
  transform.factor = 255;
  transform.normalize = Normalize{.mean = three_numbers(preset, "mean", imagenet_mean),
                                  .std = three_numbers(preset, "std", imagenet_std)};
  return transform;
}

}  // namespace nunchi::image
