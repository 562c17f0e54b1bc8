// benchmarks/ops.cpp: the ops of src/ops on the shapes of ViT-B/16, Swin-T, ResNet-50, MobileNetV2 and ConvNeXt-T, and
// LibTorch's own where it has the same.
//
//   bench_ops --benchmark_filter='linear/.*int8'      every option of Google Benchmark
//
// An op's fused path is compared with its reference before its time counts; one that is wrong is an error and has no
// time. `FLOP/s` and, where the precision has a peak on this processor (core/peak.h), its share of it.
#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "core/peak.h"
#include "ops/attention.h"
#include "ops/attention_heads.h"
#include "ops/conv_int8.h"
#include "ops/linear_int8.h"
#include "ops/norm.h"
#include "ops/policy.h"

namespace {

using namespace nunchi;
using Run = std::function<Tensor()>;

enum class Precision { fp32, bf16, int8 };

const char* name_of(Precision precision) {
  return precision == Precision::fp32 ? "fp32" : precision == Precision::bf16 ? "bf16" : "int8";
}

// What activations are in.
at::ScalarType dtype_of(Precision precision) {
  return precision == Precision::fp32   ? at::kFloat
         : precision == Precision::bf16 ? at::kBFloat16
                                        : ops::int8_activation_dtype();
}

double peak_of(Precision precision) {
  static const Peak peak = measure_peak({.threads = at::get_num_threads()});
  return precision == Precision::fp32 ? peak.fp32 : precision == Precision::bf16 ? peak.bf16 : peak.int8;
}

double difference(const Tensor& found, const Tensor& expected) {
  const Tensor a = found.to(at::kFloat), b = expected.to(at::kFloat);
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

struct Op {
  std::string name;
  Precision precision = Precision::fp32;
  double flops = 0;
  Run run;
  Run expected = {};  // without: run, on the op's reference path
};

void measure(benchmark::State& state, const Op& op) {
  const c10::InferenceMode inference;
  const auto reference = [&] {
    const ops::PolicyScope scope(ops::Policy::reference);
    return op.run();
  };
  const double off = difference(op.run(), op.expected ? op.expected() : reference());
  if (!(off <= (op.precision == Precision::fp32 ? 1e-5 : 2e-2)))
    return state.SkipWithError(fmt::format("{:.1e} from its reference", off).c_str());
  for (auto _ : state) benchmark::DoNotOptimize(op.run());
  if (op.flops == 0) return;
  const double done = op.flops * static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
  if (const double peak = peak_of(op.precision); peak > 0)
    state.counters["of_peak"] = benchmark::Counter(done / peak, benchmark::Counter::kIsRate);
}

void add(Op op) {
  const auto name = fmt::format("{}/{}", op.name, name_of(op.precision));
  benchmark::RegisterBenchmark(name.c_str(), [op = std::move(op)](benchmark::State& state) { measure(state, op); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_linear(const std::string& name, std::int64_t rows, std::int64_t in, std::int64_t out, Precision precision,
                ops::Activation activation = ops::Activation::none) {
  const Tensor x = at::randn({rows, in}).to(dtype_of(precision)), weight = at::randn({out, in}) / 28;
  ops::LinearWeights weights{.weight = weight.to(dtype_of(precision)),
                             .bias = at::randn({out}).to(dtype_of(precision))};
  if (precision == Precision::int8)
    weights.packed = ops::quantise_weight(weight, weights.bias);
  else
    weights.packed = ops::pack_linear(weights.weight, weights.bias);
  add({.name = fmt::format("linear/{}/{}x{}x{}", name, rows, in, out),
       .precision = precision,
       .flops = 2.0 * static_cast<double>(rows * in * out),
       .run = [=] { return ops::linear(x, weights, {.activation = activation}); }});
}

// Each row in 255 steps, as int8 attention sees queries and keys.
Tensor in_steps(const Tensor& x) {
  const Tensor step = x.abs().amax(-1, /*keepdim=*/true) / 127;
  return step * (x / step).round();
}

void add_attention(std::int64_t batch, std::int64_t tokens, std::int64_t heads, Precision precision) {
  const auto qkv = at::randn({batch, tokens, 3, heads, 64}).to(dtype_of(precision)).unbind(2);
  const double flops = 4.0 * static_cast<double>(batch * tokens * tokens * heads * 64);
  const ops::AttentionOptions options{.int8 = precision == Precision::int8};
  const auto ours = [=] { return ops::attention(qkv[0], qkv[1], qkv[2], options).output; };
  const auto libtorch = [=] {
    return at::scaled_dot_product_attention(qkv[0].transpose(1, 2), qkv[1].transpose(1, 2), qkv[2].transpose(1, 2))
        .transpose(1, 2);
  };
  const auto name = fmt::format("{}x{}x{}", batch, tokens, heads);
  if (precision == Precision::int8) {
    const auto rounded = [=] {
      const Tensor q = qkv[0].to(at::kFloat), k = qkv[1].to(at::kFloat);
      return ops::attention(in_steps(q), in_steps(k - k.mean(1, /*keepdim=*/true)), qkv[2].to(at::kFloat)).output;
    };
    return add(
        {.name = "attention/nunchi/" + name, .precision = precision, .flops = flops, .run = ours, .expected = rounded});
  }
  add({.name = "attention/nunchi/" + name, .precision = precision, .flops = flops, .run = ours});
  add({.name = "attention/LibTorch/" + name,
       .precision = precision,
       .flops = flops,
       .run = libtorch,
       .expected = ours});
}

// Forward and backward, from the views of one projection.
void add_training(std::int64_t batch, std::int64_t tokens, std::int64_t heads, Precision precision) {
  const Tensor values = at::randn({batch, tokens, 3, heads, 64}).to(dtype_of(precision));
  const Tensor noise = at::randn({batch, tokens, heads, 64}).to(dtype_of(precision));
  const auto train = [=](const auto& attention) {
    const c10::InferenceMode training(false);
    const Tensor qkv = values.clone().requires_grad_();
    const auto parts = qkv.unbind(2);
    attention(parts).backward(noise);
    return qkv.grad();
  };
  const auto ours = [=] { return train([](const auto& x) { return ops::attention_heads(x[0], x[1], x[2], 0.125); }); };
  const auto libtorch = [=] {
    return train([](const auto& x) {
      return at::scaled_dot_product_attention(x[0].transpose(1, 2), x[1].transpose(1, 2), x[2].transpose(1, 2))
          .transpose(1, 2);
    });
  };
  const auto name = fmt::format("{}x{}x{}", batch, tokens, heads);
  add({.name = "attention_training/nunchi/" + name, .precision = precision, .run = ours, .expected = libtorch});
  add({.name = "attention_training/LibTorch/" + name, .precision = precision, .run = libtorch, .expected = ours});
}

struct Convolution {
  const char* name;
  std::int64_t in, out, side, kernel, stride, groups;
};

void add_convolution(const Convolution& c, Precision precision) {
  const Tensor x =
      at::randn({1, c.in, c.side, c.side}).to(dtype_of(precision)).contiguous(at::MemoryFormat::ChannelsLast);
  const auto fan_in = static_cast<double>(c.in / c.groups * c.kernel * c.kernel);
  ops::ConvWeights weights{
      .weight = (at::randn({c.out, c.in / c.groups, c.kernel, c.kernel}) / std::sqrt(fan_in)).to(dtype_of(precision)),
      .bias = at::randn({c.out}).to(dtype_of(precision))};
  if (precision == Precision::int8)
    weights.matrix = std::make_shared<ops::ConvMatrix>(ops::quantise_conv(weights.weight, weights.bias));
  else
    ops::pack_conv(weights, {.groups = c.groups});
  const auto padding = c.kernel / 2, side = (c.side + 2 * padding - c.kernel) / c.stride + 1;
  add({.name = fmt::format("conv/{}/{}x{}x{}k{}", c.name, c.side, c.in, c.out, c.kernel),
       .precision = precision,
       .flops = 2 * fan_in * static_cast<double>(c.out * side * side),
       .run = [=] {
         return ops::conv2d(x, weights,
                            {.stride = {c.stride, c.stride}, .padding = {padding, padding}, .groups = c.groups},
                            {.activation = ops::Activation::relu});
       }});
}

void add_norm(std::int64_t rows, std::int64_t dim, Precision precision) {
  const Tensor x = at::randn({rows, dim}).to(dtype_of(precision));
  const ops::LayerNormWeights weights{.weight = at::randn({dim}).to(dtype_of(precision)),
                                      .bias = at::randn({dim}).to(dtype_of(precision))};
  add({.name = fmt::format("layer_norm/{}x{}", rows, dim), .precision = precision, .run = [=] {
         return ops::layer_norm(x, weights);
       }});
}

void add_all() {
  for (const auto precision : {Precision::fp32, Precision::bf16, Precision::int8}) {
    for (const std::int64_t batch : {1, 8}) {
      const auto rows = 197 * batch;
      add_linear("qkv", rows, 768, 2304, precision);
      add_linear("proj", rows, 768, 768, precision);
      add_linear("fc1_gelu", rows, 768, 3072, precision, ops::Activation::gelu);
      add_linear("fc2", rows, 3072, 768, precision);
    }
    add_linear("swin_fc1_gelu", 3136, 96, 384, precision, ops::Activation::gelu);
    add_linear("swin_fc2", 3136, 384, 96, precision);
  }
  for (const auto precision : {Precision::fp32, Precision::bf16, Precision::int8}) {
    for (const auto& convolution : {Convolution{"resnet_stem", 3, 64, 224, 7, 2, 1},
                                    {"resnet_3x3", 64, 64, 56, 3, 1, 1},
                                    {"resnet_3x3", 512, 512, 7, 3, 1, 1},
                                    {"resnet_1x1", 256, 64, 56, 1, 1, 1},
                                    {"resnet_1x1", 64, 256, 56, 1, 1, 1},
                                    {"resnet_downsample", 256, 512, 56, 1, 2, 1},
                                    {"resnet_1x1", 512, 128, 28, 1, 1, 1},
                                    {"resnet_1x1", 256, 1024, 14, 1, 1, 1},
                                    {"resnet_1x1", 2048, 512, 7, 1, 1, 1},
                                    {"resnet_3x3", 128, 128, 28, 3, 1, 1},
                                    {"resnet_3x3", 256, 256, 14, 3, 1, 1},
                                    {"mobilenet_1x1", 16, 96, 112, 1, 1, 1},
                                    {"mobilenet_1x1", 32, 16, 112, 1, 1, 1},
                                    {"mobilenet_1x1", 96, 24, 56, 1, 1, 1},
                                    {"mobilenet_1x1", 384, 64, 14, 1, 1, 1},
                                    {"mobilenet_1x1", 320, 1280, 7, 1, 1, 1},
                                    {"mobilenet_depthwise", 96, 96, 112, 3, 2, 96},
                                    {"mobilenet_depthwise", 384, 384, 14, 3, 1, 384},
                                    {"convnext_depthwise", 96, 96, 56, 7, 1, 96}}) {
      if (precision != Precision::int8 || convolution.groups == 1) add_convolution(convolution, precision);
    }
  }
  for (const auto precision : {Precision::fp32, Precision::bf16, Precision::int8}) {
    for (const std::int64_t tokens : {49, 197, 577, 1369, 4096}) add_attention(1, tokens, 12, precision);
    add_attention(8, 197, 12, precision);
  }
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    add_training(64, 65, 3, precision);
    add_training(8, 197, 12, precision);
    add_norm(197, 768, precision);
    add_norm(8 * 197, 768, precision);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
