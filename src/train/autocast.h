// train/autocast.h: bf16 where it is quick, fp32 where it must be exact: LibTorch's automatic mixed precision.
//
//   {
//     const train::Autocast autocast(at::kCPU);          // forward and loss; not the backward pass
//     loss = train::cross_entropy(model.forward(images).logits, labels);
//   }
//   loss.backward();
#pragma once

#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

namespace nunchi::train {

// While it lives, on its thread: matrix products and convolutions run in bf16; weights are cast once and kept until the
// outermost scope ends, so a scope spans one forward pass and never an optimiser step.
class Autocast {
 public:
  explicit Autocast(c10::DeviceType device, bool on = true);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool previous_on_, previous_cache_;
  c10::ScalarType previous_dtype_;
};

}  // namespace nunchi::train
