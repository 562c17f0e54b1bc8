#include "ops/weight_blocks.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/round_up.h"
#include "ops/product_kernels.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

// Calls f(at, place) for each weight: where it lies in [out, in], and where in blocks.
template <int64_t together>
void for_each_place(int64_t out, int64_t in, const auto& f) {
  const auto tiles = divided_up(out, tile_columns), depth = rounded_up(in, together);
  at::parallel_for(0, tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const auto first = tile * tile_columns, columns = std::min(tile_columns, out - first);
      for (int64_t k = 0; k < in; ++k) {
        const auto group = tile * depth + k / together * together;
        for (int64_t j = 0; j < columns; ++j)
          f((first + j) * in + k, group * tile_columns + j * together + k % together);
      }
    }
  });
}

// Calls f with what a weight consists of, and how many inputs lie together, as template arguments.
void with_kind(at::ScalarType dtype, const auto& f) {
  if (dtype == at::kFloat)
    f.template operator()<float, Operand<float>::together>();
  else if (dtype == at::kBFloat16)
    f.template operator()<Bf16Bits, Operand<Bf16Bits>::together>();
  else
    f.template operator()<std::int8_t, Operand<std::uint8_t>::together>();
}

}  // namespace

Tensor in_blocks(const Tensor& weight) {
  const Tensor plain = weight.detach().contiguous();
  const auto out = plain.size(0), in = plain.size(1);
  Tensor blocks;
  with_kind(plain.scalar_type(), [&]<class X, int64_t together>() {
    const Shape shape = {divided_up(out, tile_columns), divided_up(in, together), tile_columns, together};
    const bool full = out % tile_columns == 0 && in % together == 0;
    blocks = full ? at::empty(shape, plain.options()) : at::zeros(shape, plain.options());
    const X* from = static_cast<const X*>(plain.const_data_ptr());
    X* to = static_cast<X*>(blocks.mutable_data_ptr());
    for_each_place<together>(out, in, [=](int64_t at, int64_t place) { to[place] = from[at]; });
  });
  return blocks;
}

Tensor from_blocks(const Tensor& blocks, at::IntArrayRef shape) {
  Tensor weight = at::empty(shape, blocks.options());
  with_kind(blocks.scalar_type(), [&]<class X, int64_t together>() {
    const X* from = static_cast<const X*>(blocks.const_data_ptr());
    X* to = static_cast<X*>(weight.mutable_data_ptr());
    for_each_place<together>(shape[0], shape[1], [=](int64_t at, int64_t place) { to[at] = from[place]; });
  });
  return weight;
}

}  // namespace nunchi::ops
