#include "ops/attention_blocks.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <memory>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/attention_kernels.h"
#include "ops/transpose.h"

namespace nunchi::ops {
namespace {

using at::native::cpublas::brgemm;
using at::native::cpublas::brgemm_release;
using std::int64_t;

using Bf16Rows = HeadRows<const at::BFloat16>;

struct Operands {
  const Tensor &q, &k, &v, &out;
  const AttentionSamples& samples;
  int64_t queries, keys, heads, head_dim;
  float scale;
  const AttentionBias& bias;

  Bf16Rows head_of(const Tensor& t, int64_t b, int64_t h) const {
    return samples.head(t.const_data_ptr<at::BFloat16>(), t, b, h);
  }

  int64_t block_rows() const { return std::clamp<int64_t>(65536 / keys, 16, 64); }  // scores of 256 KiB at most
  int64_t blocks() const { return divided_up(queries, block_rows()); }
  int64_t even_keys() const { return rounded_up(keys, 2); }
};

// The keys and values of one head, and scratch for one block of queries; one per thread. The products want pairs of
// rows of their right side interleaved (VNNI order): [n / 2, columns, 2].
class Worker {
 public:
  explicit Worker(const Operands& o)
      : o_(o),
        rows_(o.samples.are_windows() ? new at::BFloat16[std::max(o.block_rows(), o.keys) * o.head_dim] : nullptr),
        keys_(new std::uint32_t[o.head_dim / 2 * o.keys]),
        values_(new std::uint32_t[o.even_keys() / 2 * o.head_dim]),
        weights_(new std::uint16_t[o.block_rows() * o.even_keys()]),
        scores_(new float[o.block_rows() * o.keys]),
        inverse_sums_(new float[o.block_rows()]),
        product_(new float[o.block_rows() * o.head_dim]) {}

  void take_head(int64_t b, int64_t h) {
    const auto k = together(o_.head_of(o_.k, b, h), o_.keys), v = o_.head_of(o_.v, b, h);
    transpose(reinterpret_cast<const std::uint32_t*>(k.first), k.stride / 2, o_.keys, o_.head_dim / 2, keys_.get(),
              o_.keys);
    for (int64_t i = 0; i < o_.keys; i += 2) {
      const bool last = i + 1 == o_.keys;
      const auto* first = reinterpret_cast<const std::uint16_t*>(v.row(i));
      const auto* second = reinterpret_cast<const std::uint16_t*>(v.row(last ? i : i + 1));
      std::uint32_t* pair = values_.get() + i / 2 * o_.head_dim;
      for (int64_t d = 0; d < o_.head_dim; ++d)
        pair[d] = first[d] | (last ? 0u : static_cast<std::uint32_t>(second[d]) << 16);
    }
  }

  void run(const AttentionBias::Place& place) {
    const auto as_bf16 = [](const void* p) { return static_cast<const at::BFloat16*>(p); };
    const auto rows = std::min(o_.block_rows(), o_.queries - place.first);
    const auto q = together(o_.head_of(o_.q, place.sample, place.head).from(place.first), rows);
    brgemm(rows, o_.keys, o_.head_dim, q.stride, o_.keys, o_.keys, false, q.first, as_bf16(keys_.get()), scores_.get(),
           true);
    if (o_.bias) {
      o_.bias.add({.scores = scores_.get(), .rows = rows, .columns = o_.keys, .stride = o_.keys, .scale = o_.scale},
                  place);
    }
    NUNCHI_OF_CHOSEN_ISA_OR_BF16(attention_kernels)
        .scores_to_bf16({.scores = scores_.get(),
                         .rows = rows,
                         .columns = o_.keys,
                         .stride = o_.keys,
                         .scale = o_.bias ? 1 : o_.scale,
                         .weights = weights_.get(),
                         .weights_stride = o_.even_keys(),
                         .inverse_sums = inverse_sums_.get()});
    brgemm(rows, o_.head_dim, o_.even_keys(), o_.even_keys(), o_.head_dim, o_.head_dim, false, as_bf16(weights_.get()),
           as_bf16(values_.get()), product_.get(), true);
    const auto out = o_.samples.head(o_.out.mutable_data_ptr<at::BFloat16>(), o_.out, place.sample, place.head);
    for (int64_t i = 0; i < rows; ++i) {
      at::BFloat16* row = out.row(place.first + i);
      for (int64_t d = 0; d < o_.head_dim; ++d) row[d] = product_[i * o_.head_dim + d] * inverse_sums_[i];
    }
  }

 private:
  // Rows as far apart as products want them: where they lie, or a copy of those of a window.
  Bf16Rows together(const Bf16Rows& rows, int64_t count) {
    if (rows.numbers == nullptr) return rows;
    for (int64_t i = 0; i < count; ++i) std::copy_n(rows.row(i), o_.head_dim, rows_.get() + i * o_.head_dim);
    return {rows_.get(), o_.head_dim};
  }

  const Operands& o_;
  std::unique_ptr<at::BFloat16[]> rows_;
  std::unique_ptr<std::uint32_t[]> keys_, values_;
  std::unique_ptr<std::uint16_t[]> weights_;
  std::unique_ptr<float[]> scores_, inverse_sums_, product_;
};

// Tasks are blocks of queries; neighbours share a head, so a thread prepares few of them.
void run(const Operands& o, int64_t samples) {
  at::parallel_for(0, samples * o.heads * o.blocks(), 1, [&](int64_t begin, int64_t end) {
    Worker worker(o);
    int64_t prepared = -1;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t head = task / o.blocks(), first = task % o.blocks() * o.block_rows();
      const int64_t b = head / o.heads, h = head % o.heads;
      if (head != prepared) worker.take_head(b, h);
      prepared = head;
      worker.run({b, h, first});
    }
    brgemm_release();
  });
}

}  // namespace

const char* attention_blocks_obstacle(const Tensor& q, const Tensor& k, const Tensor& v) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!q.is_cpu()) return "the input is not on the CPU";
  for (const Tensor* t : {&q, &k, &v}) {
    if (t->scalar_type() != at::kBFloat16) return "the dtype is not bf16";
  }
  if (!cpu_info().avx512_bf16 && !cpu_info().amx_bf16) return "this processor does not multiply bf16";
  if (q.numel() == 0 || k.numel() == 0) return "there is nothing to attend to";
  for (const Tensor* t : {&q, &k, &v}) {
    if (t->stride(3) != 1) return "the last axis is not contiguous";
    if (t->size(3) % 2 != 0 || t->stride(0) % 2 != 0 || t->stride(1) % 2 != 0 || t->stride(2) % 2 != 0) {
      return "pairs of bf16 are not aligned";
    }
  }
  return "";
}

Tensor attention_blocks(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const AttentionBias& bias,
                        const AttentionSamples& samples) {
  const Tensor out = at::empty(q.sizes(), q.options());
  run({.q = q,
       .k = k,
       .v = v,
       .out = out,
       .samples = samples,
       .queries = samples.tokens_of(q),
       .keys = samples.tokens_of(k),
       .heads = q.size(2),
       .head_dim = q.size(3),
       .scale = static_cast<float>(scale),
       .bias = bias},
      samples.of(q.size(0)));
  return out;
}

}  // namespace nunchi::ops
