#include "ops/linear_int8.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/where.h>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/product.h"

namespace nunchi::ops {

Int8Codes int8_codes(const Tensor& weight) {
  const Tensor rows = weight.detach().to(at::kFloat).flatten(1), largest = rows.abs().amax(1, /*keepdim=*/true);
  if (!largest.isfinite().all().item<bool>()) {
    throw Error(ErrorKind::model, "int8: expected finite weights, found NaN or infinity in a layer; use fp32");
  }
  const Tensor scales = at::where(largest > 0, largest / 127, 1.0);
  return {.codes = (rows / scales).round_().to(at::kChar).view(weight.sizes()), .scales = scales};
}

PackedWeight quantise_weight(const Tensor& weight, const Tensor& bias) {
  const auto in = weight.size(1), out = weight.size(0);
  const auto [codes, scales] = int8_codes(weight);
  const auto tiles = divided_up(out, tile_columns);
  const Tensor padded = at::constant_pad_nd(codes, {0, rounded_up(in, 4) - in, 0, tiles * tile_columns - out});
  PackedWeight w{.blocks = padded.view({tiles, tile_columns, -1, 4}).transpose(1, 2).contiguous(),
                 .bias = in_whole_tiles(bias, out),
                 .scales = in_whole_tiles(scales.squeeze(1), out),
                 .plain = at::empty(weight.sizes(), at::TensorOptions(at::kChar).device(at::kMeta)),
                 .in = in,
                 .out = out};
  w.sums = w.scales * padded.sum(1).to(at::kFloat);
  return w;
}

Tensor dequantise_weight(const PackedWeight& w) {
  const Tensor codes = w.blocks.transpose(1, 2).flatten(2).flatten(0, 1);  // [out, in], padded
  return (codes.to(at::kFloat) * w.scales.unsqueeze(1)).slice(0, 0, w.out).slice(1, 0, w.in);
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
