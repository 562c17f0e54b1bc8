#include "ops/attention_heads.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <utility>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/attention_kernels.h"
#include "ops/transpose.h"

namespace nunchi::ops {
namespace {

using std::int64_t;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const AttentionKernels& kernels() { return NUNCHI_OF_CHOSEN_ISA_OR_BF16(attention_kernels); }

// A matrix in fp32, padded with zeros.
struct Matrix {
  int64_t rows, columns;  // padded
  std::vector<float> values = std::vector<float>(static_cast<std::size_t>(rows * columns));

  float* data() { return values.data(); }
  float* row(int64_t i) { return values.data() + i * columns; }
};

// The first `rows` of c; all of them without.
void multiply(const Matrix& a, const Matrix& b, Matrix& c, bool add = false, std::optional<int64_t> rows = {}) {
  kernels().multiply({.a = a.values.data(),
                      .b = b.values.data(),
                      .c = c.data(),
                      .rows = rows ? rounded_up(*rows, row_step) : c.rows,
                      .columns = c.columns,
                      .depth = a.columns,
                      .a_stride = a.columns,
                      .b_stride = b.columns,
                      .c_stride = c.columns,
                      .add = add});
}

template <class T>
void read(HeadRows<T> from, int64_t rows, int64_t head_dim, Matrix& to) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* row = from.row(i);
    for (int64_t d = 0; d < head_dim; ++d) to.row(i)[d] = static_cast<float>(row[d]);
  }
  std::fill(to.row(rows), to.data() + to.values.size(), 0.0f);
}

template <class T>
void write(Matrix& from, int64_t rows, int64_t head_dim, HeadRows<T> to) {
  for (int64_t i = 0; i < rows; ++i) {
    T* row = to.row(i);
    for (int64_t d = 0; d < head_dim; ++d) row[d] = static_cast<T>(from.row(i)[d]);
  }
}

void turn(const Matrix& from, Matrix& to) {
  transpose(from.values.data(), from.columns, from.rows, from.columns, to.data(), to.columns);
}

struct Sizes {
  AttentionSamples samples;
  int64_t batch, queries, keys, heads, head_dim;

  Sizes(const Tensor& q, const Tensor& k, const AttentionSamples& of)
      : samples(of),
        batch(of.of(q.size(0))),
        queries(of.tokens_of(q)),
        keys(of.tokens_of(k)),
        heads(q.size(2)),
        head_dim(q.size(3)) {}
  template <class T>
  HeadRows<T> head_of(const Tensor& t, int64_t b, int64_t h) const {
    return samples.head(t.data_ptr<T>(), t, b, h);
  }
  int64_t depth() const { return rounded_up(head_dim, column_step); }
  int64_t padded_keys() const { return rounded_up(keys, column_step); }
  int64_t blocks() const { return divided_up(queries, block()); }
  int64_t block() const {  // queries at a time: so many that their scores stay in the cache, in whole steps
    return rounded_up(divided_up(queries, divided_up(queries, most())), column_step);
  }

 private:
  int64_t most() const { return std::clamp<int64_t>(32768 / keys, 16, 128); }
};

// Calls run(task) of one worker per thread.
void for_each_task(int64_t tasks, const auto& make_worker) {
  at::parallel_for(0, tasks, 1, [&](int64_t begin, int64_t end) {
    auto worker = make_worker();
    for (int64_t task = begin; task < end; ++task) worker.run(task);
  });
}

// A task is a block of queries; neighbours share a head, so a thread prepares few of them.
template <class T>
struct Forward {
  const Sizes& s;
  const Tensor &q, &k, &v, &out;
  float* log_sums;  // [batch, heads, queries]
  float scale;
  const AttentionBias& bias;
  Matrix keys{s.padded_keys(), s.depth()}, turned_keys{s.depth(), s.padded_keys()}, values = keys;
  Matrix queries{s.block(), s.depth()}, scores{s.block(), s.padded_keys()}, product = queries;
  int64_t prepared = -1;

  void run(int64_t task) {
    const auto head = task / s.blocks(), b = head / s.heads, h = head % s.heads;
    const auto first = task % s.blocks() * s.block(), rows = std::min(s.block(), s.queries - first);
    if (std::exchange(prepared, head) != head) take_head(b, h);
    read(s.head_of<T>(q, b, h).from(first), rows, s.head_dim, queries);
    multiply(queries, turned_keys, scores, /*add=*/false, rows);
    if (bias) {
      const std::vector<float> scales(static_cast<std::size_t>(rows), scale);
      bias.add(
          {.scores = scores.data(), .rows = rows, .columns = s.keys, .stride = scores.columns, .scales = scales.data()},
          {b, h, first});
    }
    kernels().scores_to_weights({.scores = scores.data(),
                                 .rows = rows,
                                 .columns = s.keys,
                                 .stride = scores.columns,
                                 .scale = bias ? 1 : scale,
                                 .log_sums = log_sums + head * s.queries + first});
    multiply(scores, values, product, /*add=*/false, rows);
    write(product, rows, s.head_dim, s.head_of<T>(out, b, h).from(first));
  }

 private:
  void take_head(int64_t b, int64_t h) {
    read(s.head_of<T>(k, b, h), s.keys, s.head_dim, keys);
    read(s.head_of<T>(v, b, h), s.keys, s.head_dim, values);
    turn(keys, turned_keys);
  }
};

// Of the inputs and the output, all [b, n, heads, head_dim].
struct Gradients {
  Tensor q, k, v, out;
};

// The scores stand with the keys as rows, so that only two blocks of queries and the gradients of the scores turn.
template <class T>
struct Backward {
  const Sizes& s;
  const Tensor &q, &k, &v, &out;
  const float* log_sums;
  float scale;
  const Gradients& of;
  Matrix keys{s.padded_keys(), s.depth()}, values = keys, of_keys = keys, of_values = keys;
  Matrix queries{s.block(), s.depth()}, of_out = queries, of_queries = queries;
  Matrix turned_queries{s.depth(), s.block()}, turned_of_out = turned_queries;
  Matrix scores{s.padded_keys(), s.block()}, of_scores = scores;
  Matrix turned_of_scores{s.block(), s.padded_keys()};
  std::vector<float> inner = std::vector<float>(static_cast<std::size_t>(s.block())), sums = inner;

  void run(int64_t head) {
    const auto b = head / s.heads, h = head % s.heads;
    read(s.head_of<T>(k, b, h), s.keys, s.head_dim, keys);
    read(s.head_of<T>(v, b, h), s.keys, s.head_dim, values);
    for (int64_t first = 0; first < s.queries; first += s.block()) {
      const auto rows = std::min(s.block(), s.queries - first);
      read_block(b, h, first, rows);
      multiply(keys, turned_queries, scores);
      multiply(values, turned_of_out, of_scores);
      kernels().score_gradients({.scores = scores.data(),
                                 .gradients = of_scores.data(),
                                 .log_sums = sums.data(),
                                 .inner = inner.data(),
                                 .rows = s.keys,
                                 .columns = scores.columns,
                                 .scale = scale});
      multiply(scores, of_out, of_values, /*add=*/first > 0);
      multiply(of_scores, queries, of_keys, /*add=*/first > 0);
      turn(of_scores, turned_of_scores);
      multiply(turned_of_scores, keys, of_queries);
      write(of_queries, rows, s.head_dim, s.head_of<T>(of.q, b, h).from(first));
    }
    write(of_keys, s.keys, s.head_dim, s.head_of<T>(of.k, b, h));
    write(of_values, s.keys, s.head_dim, s.head_of<T>(of.v, b, h));
  }

 private:
  // inner: of each query, the product of its output and that output's gradient.
  void read_block(int64_t b, int64_t h, int64_t first, int64_t rows) {
    read(s.head_of<T>(q, b, h).from(first), rows, s.head_dim, queries);
    read(s.head_of<T>(of.out, b, h).from(first), rows, s.head_dim, of_out);
    turn(queries, turned_queries);
    turn(of_out, turned_of_out);
    for (auto* of_padding : {&sums, &inner}) std::ranges::fill(*of_padding, 0.0f);  // which must not overflow
    std::copy_n(log_sums + (b * s.heads + h) * s.queries + first, rows, sums.begin());
    read(s.head_of<T>(out, b, h).from(first), rows, s.head_dim, of_queries);
    kernels().row_products({of_queries.data(), of_out.data(), inner.data(), rows, of_out.columns});
  }
};

// Calls f(T{}) with the element type of `t`.
void with_element_type(const Tensor& t, const auto& f) {
  if (t.scalar_type() == at::kFloat)
    f(float{});
  else
    f(at::BFloat16{});
}

Tensor dense_rows(const Tensor& t) { return t.stride(3) == 1 ? t : t.contiguous(); }

struct Answer {
  Tensor out, log_sums;
};

Answer answer(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const AttentionBias& bias,
              const AttentionSamples& samples) {
  const Sizes s(q, k, samples);
  const Answer a{.out = at::empty(q.sizes(), q.options()),
                 .log_sums = at::empty({s.batch, s.heads, s.queries}, q.options().dtype(at::kFloat))};
  with_element_type(q, [&](auto element) {
    for_each_task(s.batch * s.heads * s.blocks(), [&] {
      return Forward<decltype(element)>{
          s, q, k, v, a.out, a.log_sums.mutable_data_ptr<float>(), static_cast<float>(scale), bias};
    });
  });
  return a;
}

struct Attention : torch::autograd::Function<Attention> {
  static Tensor forward(AutogradContext* context, const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
    const auto [out, log_sums] = answer(q, k, v, scale, {}, {});
    context->save_for_backward({q, k, v, out, log_sums});
    context->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const double scale = context->saved_data["scale"].toDouble();
    if (at::GradMode::is_enabled()) return by_formula(q, k, v, gradients[0], scale);
    const Sizes s(q, k, {});
    const Gradients of{.q = at::empty(q.sizes(), q.options()),
                       .k = at::empty(k.sizes(), k.options()),
                       .v = at::empty(v.sizes(), v.options()),
                       .out = dense_rows(gradients[0])};
    with_element_type(q, [&](auto element) {
      for_each_task(s.batch * s.heads, [&] {
        return Backward<decltype(element)>{
            s, q, k, v, saved[3], saved[4].const_data_ptr<float>(), static_cast<float>(scale), of};
      });
    });
    return {of.q, of.k, of.v, Tensor()};
  }

 private:
  // With operations that have gradients themselves.
  static variable_list by_formula(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& dy, double scale) {
    const auto heads_first = [](const Tensor& t) { return t.transpose(1, 2); };
    const auto turned = [](const Tensor& t) { return t.transpose(-2, -1); };
    const Tensor d = heads_first(dy), weights = at::softmax(heads_first(q).matmul(turned(heads_first(k))) * scale, -1);
    const Tensor of_weights = d.matmul(turned(heads_first(v)));
    const Tensor of_scores = scale * weights * (of_weights - (of_weights * weights).sum(-1, /*keepdim=*/true));
    return {heads_first(of_scores.matmul(heads_first(k))), heads_first(turned(of_scores).matmul(heads_first(q))),
            heads_first(turned(weights).matmul(d)), Tensor()};
  }
};

}  // namespace

const char* attention_heads_obstacle(const Tensor& q, const Tensor& k, const Tensor& v) {
  if (!q.is_cpu()) return "the input is not on the CPU";
  const auto dtype = q.scalar_type();
  if (dtype != at::kFloat && dtype != at::kBFloat16) return "the dtype is neither fp32 nor bf16";
  if (k.scalar_type() != dtype || v.scalar_type() != dtype) return "queries, keys and values differ in dtype";
  if (q.numel() == 0 || k.numel() == 0) return "there is nothing to attend to";
  return "";
}

Tensor attention_heads(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const AttentionBias& bias,
                       const AttentionSamples& samples) {
  const Tensor dense_q = dense_rows(q), dense_k = dense_rows(k), dense_v = dense_rows(v);
  if (!at::GradMode::is_enabled()) return answer(dense_q, dense_k, dense_v, scale, bias, samples).out;
  ASSERT(!bias && samples.of(1) == 1, "neither a bias nor windows are differentiated here");
  return Attention::apply(dense_q, dense_k, dense_v, scale);
}

}  // namespace nunchi::ops
