// ops/int8_product.h: rows of numbers or codes times a matrix in eight bits, tile by tile, and what is made of the sums
// while they are in the cache. What linear layers (ops/linear_int8.h) and convolutions (ops/conv_int8.h) share.
//
//   multiply_rows<float>({x, rows, in}, weights, {.out = y, .bias = bias});   // each row has its own range
#pragma once

#include <atomic>

#include "ops/code_scale.h"
#include "ops/int8_kernels.h"
#include "ops/linear.h"

namespace nunchi::ops {

// y = act(s_w (step * codes W_q^T + low * sum(W_q)) + b) * layer_scale + residual
template <class T>
struct Int8Result {
  TileTarget<T> target;                // [rows, out]
  const float* bias;                   // per channel, in whole tiles,
  const float* layer_scale = nullptr;  // as this; or nothing
  Activation activation = Activation::none;
  bool residual_first = false;        // is added before the activation
  std::atomic<bool>* lost = nullptr;  // becomes true where codes would have to stand for what is no number

  Int8Result from(std::int64_t place) const {
    auto result = *this;
    result.target = target.from(place);
    return result;
  }
};

// Rows of codes as CodeProduct has them: row i begins at i / columns * row_step + i % columns * column_step.
struct CodeRows {
  const std::uint8_t* codes;
  std::int64_t rows, columns, row_step, column_step;
  const std::int64_t* piece_at;
  std::int64_t pieces, length;
  const RowCode* of_row;  // [rows]; or
  RowCode of_all;         // this, where it is null

  std::int64_t at(std::int64_t row) const { return row / columns * row_step + row % columns * column_step; }
};

template <class T>
struct NumberRows {
  const T* x;  // [rows, in]
  std::int64_t rows, in;
};

// T is float, or Bf16Bits. Under at::parallel_for they run on the calling thread alone.
template <class T>
void multiply_codes(const CodeRows& rows, const Int8Weights& weights, const Int8Result<T>& result);
template <class T>
void multiply_rows(const NumberRows<T>& rows, const Int8Weights& weights, const Int8Result<T>& result);

// Those of the chosen instruction set, and of what this processor has beyond it.
const Int8Kernels& int8_kernels();

// [out], or nothing -> fp32, with zeros up to whole tiles.
Tensor in_whole_tiles(const Tensor& per_channel, const Int8Weights& weights);

// Of a tensor of codes, if it is one.
RowCode row_code(const std::optional<CodeScale>& scale);

at::ScalarType numbers_dtype(const Tensor& x);  // of what comes of x, numbers or codes
Tensor in_channels_last(const Tensor& x);       // numbers or codes
Tensor exactly(const Tensor& x);                // numbers or codes, in fp32

// bf16 as its bits: the kernels know nothing of LibTorch.
template <class T>
T* elements(const Tensor& t) {
  return static_cast<T*>(t.data_ptr());
}

// Calls f with a null pointer to the kernels' type for fp32 or bf16.
void with_elements_of(at::ScalarType dtype, const auto& f) {
  if (dtype == at::kFloat)
    f(static_cast<float*>(nullptr));
  else
    f(static_cast<Bf16Bits*>(nullptr));
}

}  // namespace nunchi::ops
