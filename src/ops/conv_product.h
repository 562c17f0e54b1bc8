// ops/conv_product.h: a convolution without groups as a product (ops/product.h): each pixel of the result sums up the
// pieces of the padded picture that it sees, one for each row of the kernel, without a copy of its window. In fp32, in
// bf16 and, as ops/conv_int8.h has it, in eight bits.
//
//   weights.matrix = std::make_shared<ops::ConvMatrix>(*ops::pack_matrix(weight, bias));   // when the model is frozen
//   Tensor y = ops::conv2d(x, weights, {.padding = {1, 1}}, {.activation = ops::Activation::relu});
#pragma once

#include "ops/conv.h"

namespace nunchi::ops {

struct ConvMatrix {
  PackedWeight weight;   // of [out, pieces * length], as kernel_rows() has it
  Tensor kernel;         // [out, in, kernel_h, kernel_w] without values
  bool dilated = false;  // along its rows
};

// weight [out, in, kernel_h, kernel_w] in fp32 or bf16, on the CPU; nothing for another. bias [out] or undefined. The
// convolution has these options.
std::optional<ConvMatrix> pack_matrix(const Tensor& weight, const Tensor& bias, const ConvOptions& options);

// The weight [out, in, kernel_h, kernel_w] back, bit for bit; of eight bits, what they stand for, in fp32.
Tensor unpack_matrix(const ConvMatrix& weights);

// [out, in, kernel_h, kernel_w] -> [out, pieces * length]. A piece is a row of the kernel, [kernel_w * in], or one of
// its pixels where they lie apart (dilated), and zeros up to whole groups of `together`.
Tensor kernel_rows(const Tensor& weight, std::int64_t together, const ConvOptions& options);

// x [b, in, h, w] in the dtype of the weight -> [b, out, h', w'], channels last in memory. By a weight in eight bits, x
// is in fp32 or bf16, or codes, which have their range already; codes are given where the epilogue says so and every
// input is a number. `conv2d` calls it.
Tensor conv_product(const Tensor& x, const ConvMatrix& weights, const ConvOptions& options,
                    const ConvEpilogue& epilogue);

}  // namespace nunchi::ops
