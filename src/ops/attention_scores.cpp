#include "ops/attention_scores.h"

#include <algorithm>

#include "core/round_up.h"
#include "ops/product.h"
#include "ops/transpose.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

// Rows [count, depth] -> [depth / together, tile_columns, together].
template <class X>
void pack(const X* rows, int64_t count, int64_t depth, X* to) {
  using Group = std::uint32_t;  // what one instruction sums up
  const auto groups = depth * int64_t{sizeof(X)} / int64_t{sizeof(Group)};
  transpose(reinterpret_cast<const Group*>(rows), groups, count, groups, reinterpret_cast<Group*>(to), tile_columns);
}

}  // namespace

template <class X>
Scores<X>::Scores(int64_t keys, int64_t head_dim, int64_t block_rows)
    : keys_(keys),
      head_dim_(head_dim),
      rows_(new X[tile_columns * head_dim]),
      packed_(new X[rounded_up(keys, tile_columns) * head_dim]()),
      row_at_(new int64_t[block_rows]) {}

template <class X>
void Scores<X>::take_keys(const HeadRows<const X>& k) {
  for (int64_t first = 0; first < keys_; first += tile_columns) {
    const auto count = std::min(tile_columns, keys_ - first);
    for (int64_t i = 0; i < count; ++i) std::copy_n(k.row(first + i), head_dim_, rows_.get() + i * head_dim_);
    pack(rows_.get(), count, head_dim_, packed_.get() + first * head_dim_);
  }
}

template <class X>
void Scores<X>::multiply(const HeadRows<const X>& q, int64_t rows, const ScoreRows& scores) {
  for (int64_t i = 0; i < rows; ++i) row_at_[i] = q.row(i) - q.first;
  for (int64_t first = 0; first < keys_; first += tile_columns) {
    product_kernels().multiply(Product<X>{.x = q.first,
                                          .row_at = row_at_.get(),
                                          .piece_at = &whole_row,
                                          .rows = rows,
                                          .columns = std::min(tile_columns, keys_ - first),
                                          .pieces = 1,
                                          .length = head_dim_,
                                          .block = packed_.get() + first * head_dim_,
                                          .products = scores.first + first,
                                          .products_stride = scores.stride});
  }
}

template <class X>
ScoresOfCodes<X>::ScoresOfCodes(int64_t keys, int64_t head_dim, int64_t block_rows)
    : keys_(keys),
      head_dim_(head_dim),
      depth_(rounded_up(head_dim, Operand<std::uint8_t>::together)),
      zeros_(new float[head_dim]()),
      mean_(new float[head_dim]),
      steps_(new float[rounded_up(keys, tile_columns)]()),
      bias_(new float[rounded_up(keys, tile_columns)]()),
      rows_(new std::uint8_t[tile_columns * depth_]()),
      queries_(new std::uint8_t[block_rows * depth_]()),
      ones_(new std::uint8_t[depth_]),
      packed_(new std::int8_t[rounded_up(keys, tile_columns) * depth_]()),
      row_at_(new int64_t[block_rows]) {
  for (int64_t i = 0; i < block_rows; ++i) row_at_[i] = i * depth_;
  std::fill_n(ones_.get(), depth_, 1);
}

template <class X>
void ScoresOfCodes<X>::take_mean(const HeadRows<const X>& k) {
  const auto add_row = attention_block_kernels<X>().add_row;
  std::fill_n(mean_.get(), head_dim_, 0.F);
  for (int64_t i = 0; i < keys_; ++i) add_row(k.row(i), head_dim_, mean_.get());
  for (int64_t d = 0; d < head_dim_; ++d) mean_[d] /= static_cast<float>(keys_);
}

template <class X>
void ScoresOfCodes<X>::take_keys(const HeadRows<const X>& k) {
  take_mean(k);
  const auto codes_of = attention_block_kernels<X>().centred_codes;
  for (int64_t first = 0; first < keys_; first += tile_columns) {
    const auto count = std::min(tile_columns, keys_ - first);
    for (int64_t i = 0; i < count; ++i) {
      auto* codes = rows_.get() + i * depth_;
      steps_[first + i] = codes_of(k.row(first + i), mean_.get(), head_dim_, codes);
      for (int64_t d = 0; d < head_dim_; ++d) codes[d] ^= 128;  // now with a sign
    }
    pack(rows_.get(), count, depth_, reinterpret_cast<std::uint8_t*>(packed_.get()) + first * depth_);
    take_bias(first);
  }
}

template <class X>
void ScoresOfCodes<X>::take_bias(int64_t first) {
  std::int32_t sums[tile_columns];
  register_kernels().multiply(product(ones_.get(), 1, first, sums));
  for (int64_t i = 0; i < tile_columns; ++i) bias_[first + i] = -128 * steps_[first + i] * static_cast<float>(sums[i]);
}

template <class X>
Product<std::uint8_t, float> ScoresOfCodes<X>::product(const std::uint8_t* codes, int64_t rows, int64_t first,
                                                       std::int32_t* sums) const {
  return {.x = codes,
          .row_at = row_at_.get(),
          .piece_at = &whole_row,
          .rows = rows,
          .columns = std::min(tile_columns, keys_ - first),
          .pieces = 1,
          .length = depth_,
          .block = packed_.get() + first * depth_,
          .products = sums};
}

template <class X>
void ScoresOfCodes<X>::multiply(const HeadRows<const X>& q, int64_t rows, const ScoreRows& scores) {
  const auto codes_of = attention_block_kernels<X>().centred_codes;
  for (int64_t i = 0; i < rows; ++i)
    scores.scales[i] *= codes_of(q.row(i), zeros_.get(), head_dim_, queries_.get() + i * depth_);
  for (int64_t first = 0; first < keys_; first += tile_columns) {
    auto of_tile = product(queries_.get(), rows, first, nullptr);
    of_tile.direct = {.to = {.out = scores.first + first, .stride = scores.stride},
                      .map = {.bias = bias_.get() + first, .scales = steps_.get() + first}};
    register_kernels().multiply(of_tile);
  }
}

bool scores_in_codes_pay(at::ScalarType dtype, int64_t keys) {
  if (dtype == at::kFloat) return keys >= 128;
  return keys >= 512 && product_kernels().multiply_halves.direct;  // AMX multiplies bf16 faster
}

template class Scores<float>;
template class Scores<Bf16Bits>;
template class ScoresOfCodes<float>;
template class ScoresOfCodes<Bf16Bits>;

}  // namespace nunchi::ops
