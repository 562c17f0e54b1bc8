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

// One call's tensors as pointers and strides.
struct Operands {
  const at::BFloat16 *q, *k, *v;
  at::BFloat16* out;
  int64_t queries, keys, heads, head_dim;
  std::array<int64_t, 3> q_stride, k_stride, v_stride;  // of batch, token and head
  float scale;
  const AttentionBias& bias;

  int64_t block_rows() const { return std::clamp<int64_t>(65536 / keys, 16, 64); }  // scores of 256 KiB at most
  int64_t blocks() const { return divided_up(queries, block_rows()); }
  int64_t even_keys() const { return rounded_up(keys, 2); }
};

std::array<int64_t, 3> outer_strides(const Tensor& t) { return {t.stride(0), t.stride(1), t.stride(2)}; }

// The keys and values of one head, and scratch for one block of queries; one per thread. The products want pairs of
// rows of their right side interleaved (VNNI order): [n / 2, columns, 2].
class Worker {
 public:
  explicit Worker(const Operands& o)
      : o_(o),
        keys_(new std::uint32_t[o.head_dim / 2 * o.keys]),
        values_(new std::uint32_t[o.even_keys() / 2 * o.head_dim]),
        weights_(new std::uint16_t[o.block_rows() * o.even_keys()]),
        scores_(new float[o.block_rows() * o.keys]),
        inverse_sums_(new float[o.block_rows()]),
        product_(new float[o.block_rows() * o.head_dim]) {}

  void take_head(int64_t b, int64_t h) {
    const auto* k = reinterpret_cast<const std::uint32_t*>(o_.k + b * o_.k_stride[0] + h * o_.k_stride[2]);
    transpose(k, o_.k_stride[1] / 2, o_.keys, o_.head_dim / 2, keys_.get(), o_.keys);
    const auto* v = reinterpret_cast<const std::uint16_t*>(o_.v + b * o_.v_stride[0] + h * o_.v_stride[2]);
    for (int64_t i = 0; i < o_.keys; i += 2) {
      const std::uint16_t *first = v + i * o_.v_stride[1], *second = first + o_.v_stride[1];
      std::uint32_t* pair = values_.get() + i / 2 * o_.head_dim;
      const bool last = i + 1 == o_.keys;
      for (int64_t d = 0; d < o_.head_dim; ++d)
        pair[d] = first[d] | (last ? 0u : static_cast<std::uint32_t>(second[d]) << 16);
    }
  }

  void run(const at::BFloat16* q, at::BFloat16* out, int64_t rows, const AttentionBias::Place& place) {
    const auto as_bf16 = [](const void* p) { return static_cast<const at::BFloat16*>(p); };
    brgemm(rows, o_.keys, o_.head_dim, o_.q_stride[1], o_.keys, o_.keys, false, q, as_bf16(keys_.get()), scores_.get(),
           true);
    if (o_.bias) {
      o_.bias.add({.scores = scores_.get(), .rows = rows, .columns = o_.keys, .stride = o_.keys, .scale = o_.scale},
                  place);
    }
    NUNCHI_OF_CHOSEN_ISA(attention_kernels)
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
    for (int64_t i = 0; i < rows; ++i) {
      at::BFloat16* row = out + i * o_.heads * o_.head_dim;
      for (int64_t d = 0; d < o_.head_dim; ++d) row[d] = product_[i * o_.head_dim + d] * inverse_sums_[i];
    }
  }

 private:
  const Operands& o_;
  std::unique_ptr<std::uint32_t[]> keys_, values_;
  std::unique_ptr<std::uint16_t[]> weights_;
  std::unique_ptr<float[]> scores_, inverse_sums_, product_;
};

// Tasks are blocks of queries; neighbours share a head, so a thread prepares few of them.
void run(const Operands& o, int64_t batch) {
  at::parallel_for(0, batch * o.heads * o.blocks(), 1, [&](int64_t begin, int64_t end) {
    Worker worker(o);
    int64_t prepared = -1;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t head = task / o.blocks(), first = task % o.blocks() * o.block_rows();
      const int64_t b = head / o.heads, h = head % o.heads;
      if (head != prepared) worker.take_head(b, h);
      prepared = head;
      worker.run(o.q + b * o.q_stride[0] + first * o.q_stride[1] + h * o.q_stride[2],
                 o.out + ((b * o.queries + first) * o.heads + h) * o.head_dim,
                 std::min(o.block_rows(), o.queries - first), {b, h, first});
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

Tensor attention_blocks(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const AttentionBias& bias) {
  Tensor out = at::empty(q.sizes(), q.options());
  run({.q = q.const_data_ptr<at::BFloat16>(),
       .k = k.const_data_ptr<at::BFloat16>(),
       .v = v.const_data_ptr<at::BFloat16>(),
       .out = out.mutable_data_ptr<at::BFloat16>(),
       .queries = q.size(1),
       .keys = k.size(1),
       .heads = q.size(2),
       .head_dim = q.size(3),
       .q_stride = outer_strides(q),
       .k_stride = outer_strides(k),
       .v_stride = outer_strides(v),
       .scale = static_cast<float>(scale),
       .bias = bias},
      q.size(0));
  return out;
}

}  // namespace nunchi::ops
