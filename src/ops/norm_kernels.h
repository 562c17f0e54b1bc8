// ops/norm_kernels.h: the inner loop of layer normalisation, one namespace per instruction set.
#pragma once

#include "ops/bf16_bits.h"

namespace nunchi::ops {

// Each row of x [rows, columns] -> (x - mean) / sqrt(variance + eps) * weight + bias.
template <class T>
struct LayerNormRows {
  const T* x;
  std::int64_t rows, columns;
  const T *weight, *bias;  // [columns], or both null: 1 and 0
  float eps;
  T* y;
};

struct NormKernels {
  void (*of_floats)(const LayerNormRows<float>&);
  void (*of_halves)(const LayerNormRows<Bf16Bits>&);

  void layer_norm(const LayerNormRows<float>& rows) const { of_floats(rows); }
  void layer_norm(const LayerNormRows<Bf16Bits>& rows) const { of_halves(rows); }
};

namespace portable {
extern const NormKernels norm_kernels;
}  // namespace portable

namespace avx2 {
extern const NormKernels norm_kernels;
}  // namespace avx2

namespace avx512 {
extern const NormKernels norm_kernels;
}  // namespace avx512

namespace avx512_bf16 {
extern const NormKernels norm_kernels;
}  // namespace avx512_bf16

}  // namespace nunchi::ops
