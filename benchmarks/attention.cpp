// benchmarks/attention.cpp: our attention, in training and in inference, beside LibTorch's
// scaled_dot_product_attention, in turns, on the views that the qkv projection leaves. The answers are compared before
// the times count.
//
//   bench_attention [runs]
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "ops/attention.h"
#include "ops/attention_heads.h"

namespace {

double microseconds(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(std::int64_t batch, std::int64_t tokens, at::ScalarType dtype, int runs) {
  const auto qkv = at::randn({batch, tokens, 3, 12, 64}).to(dtype).unbind(2);
  at::Tensor ours, theirs;
  const auto run_ours = [&] { ours = nunchi::ops::attention(qkv[0], qkv[1], qkv[2]).output; };
  const auto run_theirs = [&] {
    theirs = at::scaled_dot_product_attention(qkv[0].transpose(1, 2), qkv[1].transpose(1, 2), qkv[2].transpose(1, 2));
  };
  std::vector<double> our_times, their_times;
  for (int i = 0; i < runs; ++i) {
    our_times.push_back(microseconds(run_ours));
    their_times.push_back(microseconds(run_theirs));
  }
  const double difference = (ours - theirs.transpose(1, 2)).abs().max().item<double>();
  const double flops = 4.0 * static_cast<double>(batch * tokens * tokens) * 12 * 64;
  fmt::print("{}, {:>4} tokens, batch {}: {:>9.0f} us ({:.0f} GFLOP/s), LibTorch {:>9.0f} us; difference {:.1e}\n",
             c10::toString(dtype), tokens, batch, median(our_times), flops / median(our_times) / 1e3,
             median(their_times), difference);
}

// Forward and backward, from the views of one projection.
void compare_training(std::int64_t batch, std::int64_t tokens, std::int64_t heads, at::ScalarType dtype, int runs) {
  const at::Tensor qkv = at::randn({batch, tokens, 3, heads, 64}).to(dtype).requires_grad_();
  const at::Tensor noise = at::randn({batch, tokens, heads, 64}).to(dtype);
  const auto train = [&](const auto& attention) {
    const auto parts = qkv.unbind(2);
    attention(parts).backward(noise);
    return std::exchange(qkv.mutable_grad(), at::Tensor());
  };
  at::Tensor ours, theirs;
  const auto run_ours = [&] {
    ours = train([](const auto& x) { return nunchi::ops::attention_heads(x[0], x[1], x[2], 0.125); });
  };
  const auto run_theirs = [&] {
    theirs = train([](const auto& x) {
      return at::scaled_dot_product_attention(x[0].transpose(1, 2), x[1].transpose(1, 2), x[2].transpose(1, 2))
          .transpose(1, 2);
    });
  };
  std::vector<double> our_times, their_times;
  for (int i = 0; i < runs; ++i) {
    our_times.push_back(microseconds(run_ours));
    their_times.push_back(microseconds(run_theirs));
  }
  fmt::print("training, {}, {:>4} tokens, batch {}: {:>9.0f} us, LibTorch {:>9.0f} us; difference {:.1e}\n",
             c10::toString(dtype), tokens, batch, median(our_times), median(their_times),
             (ours - theirs).abs().max().item<double>());
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::stoi(argv[1]) : 30;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    compare_training(64, 64, 3, dtype, runs);
    compare_training(64, 65, 3, dtype, runs);
    compare_training(8, 197, 12, dtype, runs);
    compare_training(2, 577, 12, dtype, runs);
  }
  const c10::InferenceMode inference;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t tokens : {49, 197, 577, 1369, 4096}) compare(1, tokens, dtype, runs);
    compare(8, 197, dtype, runs);
  }
  return 0;
}
