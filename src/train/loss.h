// train/loss.h: what training makes small.
//
//   Tensor loss = train::cross_entropy(model.forward(images).logits, labels, /*label_smoothing=*/0.1);
//   loss.backward();
#pragma once

#include "ops/tensor.h"

namespace nunchi::train {

// The mean over the batch of -sum(target * log softmax(logits)), in fp32 also for bf16 logits. `targets` are class
// numbers [b] (int64) or the share of each class [b, k] (mixup); smoothing (Szegedy et al. 2016) mixes
// `label_smoothing` of the uniform distribution into either. logits [b, k] -> a scalar. Throws Error (input) for a
// class that is not there.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, double label_smoothing = 0);

}  // namespace nunchi::train
