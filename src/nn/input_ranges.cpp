#include "nn/input_ranges.h"

#include <algorithm>

#include <ATen/ops/aminmax.h>

namespace nunchi::nn {

constinit thread_local InputRanges* InputRanges::seeing = nullptr;

InputRanges::InputRanges() {
  ASSERT(seeing == nullptr, "one at a time");
  seeing = this;
}

InputRanges::~InputRanges() { seeing = nullptr; }

void InputRanges::widen(const Tensor& weight, const Tensor& x) {
  const auto [low, high] = at::aminmax(x);
  auto& range = ranges_[&weight];
  range.low = std::min(range.low, low.item<double>());
  range.high = std::max(range.high, high.item<double>());
}

std::optional<ops::CodeScale> InputRanges::scale_of(const Tensor* weight) const {
  const auto found = ranges_.find(weight);
  if (found == ranges_.end()) return std::nullopt;
  return ops::code_scale(found->second.low, found->second.high);
}

}  // namespace nunchi::nn
