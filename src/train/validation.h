// train/validation.h: how good a network is on pictures that it was not trained on, in the way `nunchi eval` counts.
//
//   auto result = validate(network, *loader, at::kCPU, [&](const data::Failure& failure) { ... });
//   result->top1;
#pragma once

#include "data/loader.h"
#include "train/network.h"
#include "train/training_state.h"

namespace nunchi::train {

// Frozen in fp32 for the time it takes (on the CPU), in evaluation mode afterwards. Nothing where a stop was requested
// (core/interrupt.h) before the last batch. Throws Error (input) where no picture could be read.
std::optional<EpochResult::Validation> validate(const Network& network, data::Loader& loader, at::Device device,
                                                const std::function<void(const data::Failure&)>& on_failure);

// [b, c, h, w] float and [b] int64: views of the batch on the CPU, copies on another device.
struct BatchTensors {
  Tensor images, labels;
};
BatchTensors as_tensors(data::Batch& batch, const std::array<std::int64_t, 3>& shape, at::Device device);

}  // namespace nunchi::train
