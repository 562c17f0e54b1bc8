#include "ops/attention_blocks.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <memory>

#include "core/round_up.h"
#include "ops/attention_kernels.h"
#include "ops/attention_scores.h"
#include "ops/product.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

struct Operands {
  const Tensor &q, &k, &v, &out;
  const AttentionSamples& samples;
  int64_t queries, keys, heads, head_dim;
  float scale;
  const AttentionBias& bias;

  // Scores of 256 KiB at most, in whole sixes, which are what products hold in their registers.
  int64_t block_rows() const {
    const auto most = std::clamp<int64_t>(65536 / keys, 12, 96);
    return rounded_up(divided_up(queries, divided_up(queries, most)), 6);
  }
};

// The keys and the values of one head as weights of products, and scratch for one block of queries; one per thread.
template <class X, class Scores>
class Worker {
 public:
  Worker(const Operands& o, int64_t block_rows)
      : o_(o),
        block_rows_(block_rows),
        by_keys_(o.keys, o.head_dim, block_rows),
        even_keys_(rounded_up(o.keys, together)),
        scores_stride_(rounded_up(o.keys, tile_columns)),
        weights_stride_(in_place ? scores_stride_ : even_keys_),
        values_(new X[even_keys_ * rounded_up(o.head_dim, tile_columns)]()),
        scores_(new float[block_rows * scores_stride_]),
        weights_(in_place ? nullptr : new X[block_rows * weights_stride_]),
        products_(new float[block_rows * tile_columns]),
        scales_(new float[block_rows]),
        inverse_sums_(new float[block_rows]),
        row_at_(new int64_t[block_rows]) {}

  void take_head(int64_t b, int64_t h) {
    by_keys_.take_keys(head_of<const X>(o_.k, b, h));
    take_values(head_of<const X>(o_.v, b, h));
  }

  void run(const AttentionBias::Place& place) {
    const auto rows = std::min(block_rows_, o_.queries - place.first);
    std::fill_n(scales_.get(), rows, o_.scale);
    by_keys_.multiply(head_of<const X>(o_.q, place.sample, place.head).from(place.first), rows,
                      {scores_.get(), scores_stride_, scales_.get()});
    if (o_.bias) {
      o_.bias.add({.scores = scores_.get(),
                   .rows = rows,
                   .columns = o_.keys,
                   .stride = scores_stride_,
                   .scales = scales_.get()},
                  place);
      std::fill_n(scales_.get(), rows, 1.F);
    }
    kernels_.scores_to_exponentials({.scores = scores_.get(),
                                     .rows = rows,
                                     .columns = o_.keys,
                                     .stride = scores_stride_,
                                     .scales = scales_.get(),
                                     .weights = weights(),
                                     .weights_stride = weights_stride_,
                                     .inverse_sums = inverse_sums_.get()});
    multiply_by_values(head_of<X>(o_.out, place.sample, place.head).from(place.first), rows);
  }

 private:
  static constexpr auto together = Operand<X>::together;
  static constexpr bool in_place = std::is_same_v<X, float>;  // weights take the place of their scores

  template <class T>
  HeadRows<T> head_of(const Tensor& t, int64_t b, int64_t h) const {
    return o_.samples.head(elements<T>(t), t, b, h);
  }

  X* weights() {
    if constexpr (in_place)
      return scores_.get();
    else
      return weights_.get();
  }

  // [tiles of head_dim, even_keys / together, tile_columns, together].
  void take_values(const HeadRows<const X>& v) {
    for (int64_t column = 0; column < o_.head_dim; column += tile_columns) {
      const auto count = std::min(tile_columns, o_.head_dim - column);
      for (int64_t i = 0; i < o_.keys; i += together) {
        X* to = values_.get() + column * even_keys_ + i * tile_columns;
        if constexpr (together == 1)
          std::copy_n(v.row(i) + column, count, to);
        else
          put_pairs(v.row(i) + column, i + 1 < o_.keys ? v.row(i + 1) + column : nullptr, count, to);
      }
    }
  }

  static void put_pairs(const Bf16Bits* first, const Bf16Bits* second, int64_t count, Bf16Bits* to) {
    auto* pairs = reinterpret_cast<std::uint32_t*>(to);
    for (int64_t d = 0; d < count; ++d)
      pairs[d] = first[d] | (second ? static_cast<std::uint32_t>(second[d]) << 16 : 0);
  }

  void multiply_by_values(const HeadRows<X>& out, int64_t rows) {
    for (int64_t column = 0; column < o_.head_dim; column += tile_columns) {
      for (int64_t i = 0; i < rows; ++i) row_at_[i] = i * weights_stride_;
      const auto columns = std::min(tile_columns, o_.head_dim - column);
      product_kernels().multiply(Product<X>{.x = weights(),
                                            .row_at = row_at_.get(),
                                            .piece_at = &whole_row,
                                            .rows = rows,
                                            .columns = columns,
                                            .pieces = 1,
                                            .length = even_keys_,
                                            .block = values_.get() + column * even_keys_,
                                            .products = products_.get()});
      for (int64_t i = 0; i < rows; ++i) row_at_[i] = out.row(i) - out.first;
      kernels_.scale_rows({.products = products_.get(),
                           .rows = rows,
                           .columns = columns,
                           .stride = tile_columns,
                           .factors = inverse_sums_.get(),
                           .out = out.first + column,
                           .row_at = row_at_.get()});
    }
  }

  const Operands& o_;
  const AttentionBlockKernels<X>& kernels_ = attention_block_kernels<X>();
  int64_t block_rows_;
  Scores by_keys_;
  int64_t even_keys_, scores_stride_, weights_stride_;
  std::unique_ptr<X[]> values_;
  std::unique_ptr<float[]> scores_;
  std::unique_ptr<X[]> weights_;
  std::unique_ptr<float[]> products_, scales_, inverse_sums_;
  std::unique_ptr<int64_t[]> row_at_;
};

// Tasks are blocks of queries; neighbours share a head, so a thread prepares few of them.
template <class X, class Scores>
void run(const Operands& o, int64_t samples) {
  const auto block_rows = o.block_rows(), blocks = divided_up(o.queries, block_rows);
  at::parallel_for(0, samples * o.heads * blocks, 1, [&](int64_t begin, int64_t end) {
    Worker<X, Scores> worker(o, block_rows);
    int64_t prepared = -1;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t head = task / blocks, first = task % blocks * block_rows;
      const int64_t b = head / o.heads, h = head % o.heads;
      if (head != prepared) worker.take_head(b, h);
      prepared = head;
      worker.run({b, h, first});
    }
    products_done();
  });
}

}  // namespace

const char* attention_blocks_obstacle(const Tensor& q, const Tensor& k, const Tensor& v) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!q.is_cpu()) return "the input is not on the CPU";
  const auto dtype = q.scalar_type();
  if (dtype != at::kFloat && dtype != at::kBFloat16) return "the dtype is neither fp32 nor bf16";
  if (q.numel() == 0 || k.numel() == 0) return "there is nothing to attend to";
  if (dtype == at::kBFloat16 && q.size(3) % 2 != 0) return "numbers of bf16 are multiplied in pairs";
  for (const Tensor* t : {&q, &k, &v}) {
    if (t->scalar_type() != dtype) return "queries, keys and values differ in dtype";
    if (t->stride(3) != 1) return "the last axis is not contiguous";
  }
  return "";
}

Tensor attention_blocks(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionBlockOptions& options) {
  const auto& samples = options.samples;
  const Tensor out = at::empty(q.sizes(), q.options());
  const Operands operands{.q = q,
                          .k = k,
                          .v = v,
                          .out = out,
                          .samples = samples,
                          .queries = samples.tokens_of(q),
                          .keys = samples.tokens_of(k),
                          .heads = q.size(2),
                          .head_dim = q.size(3),
                          .scale = static_cast<float>(options.scale),
                          .bias = options.bias};
  with_elements_of(q.scalar_type(), [&]<class X>(X*) {
    if (options.scores_in_codes)
      run<X, ScoresOfCodes<X>>(operands, samples.of(q.size(0)));
    else
      run<X, Scores<X>>(operands, samples.of(q.size(0)));
  });
  return out;
}

}  // namespace nunchi::ops
