// nn/hybrid_stem.h: the first layers of BiT's ResNets (Kolesnikov et al. 2020), from whose map a hybrid ViT cuts its
// patches (Dosovitskiy et al. 2021, section 3.1): a convolution of 7 x 7 with standardised weights (Qiao et al. 2019),
// group normalisation, relu and a max-pool of 3 x 3. Both halve the sides, rounded up.
//
//   nn::HybridStem stem(3);
//   Tensor map = stem.forward(image);   // [b, 3, 32, 32] -> [b, 64, 8, 8]
#pragma once

#include "nn/module.h"
#include "ops/conv.h"
#include "ops/norm.h"

namespace nunchi::nn {

// Keys `conv.weight`, `norm.weight` and `norm.bias` (timm).
class HybridStem : public Module {
 public:
  static constexpr std::int64_t channels = 64, stride = 4;  // of the map

  explicit HybridStem(std::int64_t picture_channels);

  Tensor forward(const Tensor& image) const;  // [b, c, h, w] -> [b, 64, h / 4, w / 4], rounded up

  void freeze(const FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

 private:
  ops::ConvWeights convolution_;
  ops::GroupNormWeights norm_;
  ops::ConvWeights standardised_;  // while the module is frozen
};

}  // namespace nunchi::nn
