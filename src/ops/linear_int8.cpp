#include "ops/linear_int8.h"

#include <ATen/Parallel.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/isa.h"
#include "ops/product.h"
#include "ops/weight_blocks.h"

namespace nunchi::ops {

Int8Codes int8_codes(const Tensor& weight) {
  const Tensor rows = weight.detach().to(at::kFloat).flatten(1).contiguous();
  const auto out = rows.size(0), in = rows.size(1);
  Int8Codes result{.codes = at::empty(weight.sizes(), at::kChar), .scales = at::empty({out, 1}, at::kFloat)};
  const auto* from = rows.const_data_ptr<float>();
  auto* codes = result.codes.mutable_data_ptr<std::int8_t>();
  auto* scales = result.scales.mutable_data_ptr<float>();
  std::atomic<bool> is_finite = true;
  at::parallel_for(0, out, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      const float* row = from + j * in;
      std::uint32_t bits = 0;  // of magnitudes, which order as their bits do, those of no number last
      for (std::int64_t k = 0; k < in; ++k) bits = std::max(bits, std::bit_cast<std::uint32_t>(row[k]) & 0x7fffffffu);
      const auto largest = std::bit_cast<float>(bits);
      if (!std::isfinite(largest)) {
        is_finite = false;
        continue;
      }
      const float scale = largest / 127;
      scales[j] = scale > 0 ? scale : 1;
      constexpr float rounding = 12582912;  // 1.5 * 2^23: added, it leaves the nearest integer
      for (std::int64_t k = 0; k < in; ++k)
        codes[j * in + k] = static_cast<std::int8_t>((row[k] / scales[j] + rounding) - rounding);
    }
  });
  if (is_finite) return result;
  throw Error(ErrorKind::model, "int8: expected finite weights, found NaN or infinity in a layer; use fp32");
}

namespace {

// [out, in] -> [out]. LibTorch's sum would make a copy in 64 bits, which leaves a hole in the heap for each layer.
Tensor sums_of_rows(const Tensor& codes) {
  const auto out = codes.size(0), in = codes.size(1);
  Tensor sums = at::empty({out}, at::kFloat);
  const auto* from = codes.const_data_ptr<std::int8_t>();
  auto* to = sums.mutable_data_ptr<float>();
  for (std::int64_t j = 0; j < out; ++j)
    to[j] = static_cast<float>(std::accumulate(from + j * in, from + (j + 1) * in, std::int32_t{0}));
  return sums;
}

}  // namespace

PackedWeight quantise_weight(const Tensor& weight, const Tensor& bias) {
  const auto out = weight.size(0);
  const auto [codes, scales] = int8_codes(weight);
  const Tensor of_channel = scales.squeeze(1);
  return {.blocks = in_blocks(codes),
          .bias = in_whole_tiles(bias, out),
          .scales = in_whole_tiles(of_channel, out),
          .sums = in_whole_tiles(of_channel * sums_of_rows(codes), out),
          .plain = at::empty(weight.sizes(), at::TensorOptions(at::kChar).device(at::kMeta)),
          .in = weight.size(1),
          .out = out};
}

Tensor dequantise_weight(const PackedWeight& w) {
  return from_blocks(w.blocks, {w.out, w.in}).to(at::kFloat) * w.scales.slice(0, 0, w.out).unsqueeze(1);
}

at::ScalarType int8_activation_dtype() {
  return cpu_info().avx512_bf16 || cpu_info().amx_bf16 ? at::kBFloat16 : at::kFloat;
}

Tensor linear_int8_reference(const Tensor& x, const PackedWeight& w, const Epilogue& e) {
  const Tensor wide = x.to(at::kFloat);
  const Tensor low = wide.amin(-1, /*keepdim=*/true), range = wide.amax(-1, /*keepdim=*/true) - low;
  const Tensor step = at::where(range > 1e-30, range / 255, 1.0);
  const Tensor seen = low + step * ((wide - low) * step.reciprocal()).round();
  const Tensor y = at::linear(seen, dequantise_weight(w), w.bias.slice(0, 0, w.out));
  return finish(activate(y, e.activation), e).to(x.scalar_type());
}

}  // namespace nunchi::ops
