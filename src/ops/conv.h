// ops/conv.h: convolution, and the convolution that cuts a picture into patches (Dosovitskiy et al. 2021, equation 1).
//
//   Tensor map = ops::conv2d(x, {.weight = w}, {.stride = {2, 2}, .padding = {1, 1}});   // [b, c, h, w]
//   ops::pack_conv(weights);                                                             // when the model is frozen
//   Tensor tokens = ops::patch_embed(image, {.weight = w, .bias = b});                   // [b, n, dim]
#pragma once

#include <array>
#include <memory>
#include <mutex>

#include "ops/code_scale.h"
#include "ops/linear.h"
#include "ops/tensor.h"

namespace nunchi::ops {

struct ConvOptions {
  std::array<std::int64_t, 2> stride = {1, 1}, padding = {0, 0}, dilation = {1, 1};
  std::int64_t groups = 1;
  bool same = false;  // TensorFlow's padding in place of `padding`, as pad_same() has it
};

// A weight in groups for oneDNN, in the blocked layout that it wants for the size of picture seen last: a layout for
// another size may cost more at every call than the convolution. Weights are packed when a picture comes, and again for
// one of another size.
class PackedConv {
 public:
  explicit PackedConv(const Tensor& weight);  // of pack_conv()

  Tensor for_input(at::IntArrayRef sizes, const ConvOptions& options) const;
  Tensor plain() const;  // the weight back, bit for bit
  // The weight, in its size and dtype alone: a meta tensor.
  const Tensor& kernel() const { return kernel_; }

 private:
  Tensor unpacked() const;

  Tensor kernel_;
  mutable std::mutex mutex_;  // of what follows
  mutable Tensor weight_;
  mutable Shape sizes_;  // that it is packed for; empty: it is plain
};

struct ConvMatrix;        // ops/conv_product.h
struct DepthwiseWeights;  // ops/depthwise.h

// In a frozen model, one of `matrix`, `depthwise` and `grouped`.
struct ConvWeights {
  Tensor weight;  // [out, in / groups, kernel_h, kernel_w]; undefined where it is packed
  Tensor bias;    // [out] or undefined
  std::shared_ptr<const ConvMatrix> matrix = {};           // with the bias
  std::shared_ptr<const DepthwiseWeights> depthwise = {};  // with the bias
  std::shared_ptr<const PackedConv> grouped = {};

  bool is_packed() const { return matrix || depthwise || grouped; }
  bool takes_codes() const;  // and gives them: in eight bits, or depthwise
};

// The weight (fp32 or bf16, on the CPU) becomes a packed one, where there are kernels for it on this processor.
void pack_conv(ConvWeights& weights, const ConvOptions& options = {});

struct ConvEpilogue {
  Activation activation = Activation::none;
  std::optional<Tensor> residual = {};  // [b, out, h', w'], added before the activation
  std::optional<CodeScale> codes = {};  // of one in int8 or depthwise: it gives codes
};

// x [b, in, h, w] -> act(conv(x) + residual), [b, out, h', w']. The fused path runs under InferenceMode on packed
// weights, in fp32, bf16 and int8; its result has its channels last in memory. x and the residual may be codes.
Tensor conv2d(const Tensor& x, const ConvWeights& weights, const ConvOptions& options = {},
              const ConvEpilogue& epilogue = {});

struct SamePadding {
  std::int64_t kernel = 3, stride = 1, dilation = 1;
};

// TensorFlow's "same" padding: `value` around x [b, c, h, w] such that a window of this kernel and stride gives sides
// of h / stride and w / stride, rounded up. Of an odd number of rows or columns, the larger half comes last.
Tensor pad_same(const Tensor& x, const SamePadding& padding, double value = 0);

struct PatchWeights {
  Tensor weight;                            // [dim, channels, patch_h, patch_w]; undefined once released after packing
  Tensor bias;                              // [dim] or undefined
  std::optional<PackedWeight> packed = {};  // the same weight as a linear one [dim, channels * patch_h * patch_w]
  std::array<std::int64_t, 2> patch = {16, 16};
};

// image [b, c, h, w] -> [b, (h / patch_h) * (w / patch_w), dim], rows first; what does not fill a patch is left out.
Tensor patch_embed(const Tensor& image, const PatchWeights& weights);

// image [b, c, h, w] -> [b, n, c * patch_h * patch_w]: the pixels of each patch in the order of a convolution's weight.
Tensor patchify(const Tensor& image, std::array<std::int64_t, 2> patch);

}  // namespace nunchi::ops
