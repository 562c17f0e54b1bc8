// nn/input_ranges.h: between which numbers the inputs of convolutions lie, seen while a model runs: what its codes are
// calibrated by (tasks/quantise.h).
//
//   nn::InputRanges ranges;                                  // of this thread, while it lives
//   model.forward(pixels);
//   slot.input = ranges.scale_of(slot.tensor);               // of a convolution's weight
#pragma once

#include <optional>
#include <unordered_map>

#include "core/one_thread.h"
#include "ops/code_scale.h"

namespace nunchi::nn {

class InputRanges {
 public:
  InputRanges();
  ~InputRanges();
  InputRanges(const InputRanges&) = delete;
  InputRanges& operator=(const InputRanges&) = delete;

  // Nothing where no layer with this weight ran.
  std::optional<ops::CodeScale> scale_of(const Tensor* weight) const;

  // The layer with this weight takes x.
  static void see(const Tensor& weight, const Tensor& x) {
    if (seeing != nullptr) [[unlikely]]
      seeing->widen(weight, x);
  }

 private:
  void widen(const Tensor& weight, const Tensor& x);

  struct Range {
    double low = 0, high = 0;
  };
  std::unordered_map<const Tensor*, Range> ranges_;
  OneThread one_thread_;

  static constinit thread_local InputRanges* seeing;
};

}  // namespace nunchi::nn
