// ops/code_scale.h: numbers as codes of eight bits without a sign, one scale for all: x = scale * (code - zero), the
// code within 0 and 255. int8 convolutions take and give tensors of codes, uint8 ones that carry their scale.
//
//   Tensor codes = empty_codes({1, 64, 56, 56}, code_scale(0, 6));   // channels last
//   scale_of(codes)->zero;                                           // 0
//   Tensor x = in_numbers(codes);
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

struct CodeScale {
  double scale = 1;
  std::int64_t zero = 0;
};

// 256 steps from `low` to `high`, which are made to include zero: it has a code.
CodeScale code_scale(double low, double high);

// [b, c, h, w], channels last in memory.
Tensor empty_codes(at::IntArrayRef sizes, const CodeScale& scale);

// The codes of x, which is floating point, to the nearest one.
Tensor in_codes(const Tensor& x, const CodeScale& scale);

// Nothing where x is no tensor of codes. What LibTorch makes of one has no scale but where it is the same memory.
std::optional<CodeScale> scale_of(const Tensor& x);
void set_scale(const Tensor& codes, const CodeScale& scale);

// x in floating point: itself, or what its codes stand for, in the dtype that int8 models compute in between layers.
Tensor in_numbers(const Tensor& x);

}  // namespace nunchi::ops
