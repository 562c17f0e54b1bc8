#include "nn/patch_embed.h"

#include <fmt/format.h>

#include "nn/initialise.h"

namespace nunchi::nn {

PatchEmbed::PatchEmbed(std::int64_t channels, std::array<std::int64_t, 2> patch, std::int64_t dim, bool bias)
    : has_bias_(bias) {
  parameter("proj.weight", weights.weight, {dim, channels, patch[0], patch[1]});
  if (bias) parameter("proj.bias", weights.bias, {dim});
  weights.patch = patch;
}

void PatchEmbed::freeze(const FreezeOptions& options) {
  if (has_bias_) cast(slot_of(weights.bias), options);
  const Tensor flat = weights.weight.detach().flatten(1).to(activation_dtype(options.precision));
  weights.packed = ops::pack_linear(flat, weights.bias);
  if (weights.packed)
    release(slot_of(weights.weight), options);
  else
    cast(slot_of(weights.weight), options);
}

void PatchEmbed::thaw() {
  weights.packed.reset();
  Module::thaw();
}

void PatchEmbed::initialise(const at::Generator& generator) {
  weights.weight = kaiming_uniform(slot_of(weights.weight).shape, generator);
  if (has_bias_) weights.bias = constant(slot_of(weights.bias).shape, 0);
}

RearrangedPatchEmbed::RearrangedPatchEmbed(std::int64_t channels, std::array<std::int64_t, 2> patch, std::int64_t dim)
    : norm1(channels * patch[0] * patch[1], 1e-5),
      proj(channels * patch[0] * patch[1], dim),
      norm2(dim, 1e-5),
      patch_(patch) {
  child("norm1", norm1);
  child("proj", proj);
  child("norm2", norm2);
}

Tensor RearrangedPatchEmbed::forward(const Tensor& image) const {
  return seen(norm2.forward(proj.forward(norm1.forward(rearrange_patches(image, patch_)))));
}

Tensor rearrange_patches(const Tensor& image, std::array<std::int64_t, 2> patch) {
  const auto b = image.size(0), c = image.size(1);
  if (image.size(2) % patch[0] != 0 || image.size(3) % patch[1] != 0) {
    throw Error(ErrorKind::input, fmt::format("a picture of {} x {} does not divide into patches of {} x {}",
                                              image.size(2), image.size(3), patch[0], patch[1]));
  }
  return ops::patchify(image, patch)
      .view({b, -1, c, patch[0], patch[1]})
      .permute({0, 1, 3, 4, 2})  // [b, n, patch_h, patch_w, c]
      .flatten(2);
}

}  // namespace nunchi::nn
