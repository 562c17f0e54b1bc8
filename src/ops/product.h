// ops/product.h: rows times a matrix, tile by tile, and what is made of the sums while they are in the cache: the one
// product of linear layers (ops/linear.h) and convolutions (ops/conv_product.h), in fp32, bf16 and eight bits.
//
//   multiply<float>({x, rows, in}, weights, {.target = {.out = y, .stride = out}});
#pragma once

#include <atomic>

#include "ops/code_scale.h"
#include "ops/linear.h"
#include "ops/product_kernels.h"

namespace nunchi::ops {

// y = act(x W^T + b) * layer_scale + residual, where x W^T of codes is s_w (step * codes W_q^T + low * sum(W_q))
template <class T>
struct ProductResult {
  TileTarget<T> target;                // [rows, out]
  const float* layer_scale = nullptr;  // per channel, in whole tiles; or nothing
  Activation activation = Activation::none;
  bool residual_first = false;        // is added before the activation
  std::atomic<bool>* lost = nullptr;  // becomes true where codes would have to stand for what is no number

  ProductResult from(std::int64_t place) const {
    auto result = *this;
    result.target = target.from(place);
    return result;
  }
};

// Rows as Product has them: those of the pixels of maps, row by row.
template <class X>
struct ProductRows {
  const X* x;
  std::int64_t rows, height, width;              // rows is a multiple of height * width
  std::int64_t map_step, row_step, column_step;  // from one map, row and column to the next
  const std::int64_t* piece_at;
  std::int64_t pieces, length;
  const PieceRange* seen = nullptr;  // [height]: all other pieces are zeros; or null, as of codes
  const RowCode* of_row = nullptr;   // [rows], of codes; or
  RowCode of_all{0, 1};              // this, where it is null

  void places(std::int64_t first, std::int64_t count, std::int64_t* at, PieceRange* ranges) const;
  ProductRows joined() const;
};

template <class T>
struct NumberRows {
  const T* x;  // [rows, in]
  std::int64_t rows, in;
};

// Those of the chosen instruction set, and of what this processor has beyond it.
const ProductKernels& product_kernels();
// The same without AMX, which leaves sums in memory: all of them know of Product::direct.
const ProductKernels& register_kernels();

// Under at::parallel_for one.
std::int64_t threads_here();

// X is float or Bf16Bits, as T then is, or std::uint8_t. Under at::parallel_for they run on the calling thread alone.
template <class X, class T>
void multiply(const ProductRows<X>& rows, const PackedWeight& weight, const ProductResult<T>& result,
              const ProductKernels& kernels = product_kernels());

// By a weight in eight bits, each row gets a range of its own.
template <class T>
void multiply(const NumberRows<T>& rows, const PackedWeight& weight, const ProductResult<T>& result);

// To be called by a thread that is done with them: AMX is in a state that it must leave.
void products_done();

#ifdef __x86_64__
// LibTorch's product of blocks, which has AMX; it needs AVX-512 with VNNI and, for bf16, BF16.
extern const Multiply<Bf16Bits> halves_by_brgemm;
extern const MultiplyCodes codes_by_brgemm;
#endif

// [out], or nothing -> fp32, with zeros up to whole tiles.
Tensor in_whole_tiles(const Tensor& per_channel, std::int64_t out);

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
