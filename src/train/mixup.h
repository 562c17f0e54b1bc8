// train/mixup.h: pictures blended with others of their batch: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019).
//
//   auto [images, targets] = train::mix(pixels, labels, 10, {.mixup_alpha = 0.8, .cutmix_alpha = 1}, random);
//   Tensor loss = train::cross_entropy(model.forward(images).logits, targets, 0.1);
#pragma once

#include "data/random.h"
#include "ops/tensor.h"

namespace nunchi::train {

struct MixupOptions {
  double mixup_alpha = 0, cutmix_alpha = 0;  // of Beta(alpha, alpha), from which the share is drawn; 0: never
  double probability = 1;                    // that a batch is mixed at all
  double switch_probability = 0.5;           // of CutMix where both are on
};

struct Mixed {
  Tensor images;   // [b, c, h, w]
  Tensor targets;  // [b, classes], the shares of the classes
};

// One share for the whole batch, each picture with the one that is as far from the batch's end (timm's batch mode).
// images [b, c, h, w], labels [b] int64. Neither argument is changed.
Mixed mix(const Tensor& images, const Tensor& labels, std::int64_t classes, const MixupOptions& options,
          data::Random& random);

}  // namespace nunchi::train
