#include "ops/linear_int8.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/where.h>
#include <c10/core/InferenceMode.h>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/int8_product.h"

namespace nunchi::ops {

Int8Codes int8_codes(const Tensor& weight) {
  const Tensor rows = weight.detach().to(at::kFloat).flatten(1), largest = rows.abs().amax(1, /*keepdim=*/true);
  if (!largest.isfinite().all().item<bool>()) {
    throw Error(ErrorKind::model, "int8: expected finite weights, found NaN or infinity in a layer; use fp32");
  }
  const Tensor scales = at::where(largest > 0, largest / 127, 1.0);
  return {.codes = (rows / scales).round_().to(at::kChar).view(weight.sizes()), .scales = scales};
}

Int8Weights quantise_weight(const Tensor& weight) {
  const auto in = weight.size(1), out = weight.size(0);
  const auto [codes, scales] = int8_codes(weight);
  const auto tiles = divided_up(out, tile_columns);
  const Tensor padded = at::constant_pad_nd(codes, {0, rounded_up(in, 4) - in, 0, tiles * tile_columns - out});
  Int8Weights w{.blocks = padded.view({tiles, tile_columns, -1, 4}).transpose(1, 2).contiguous(),
                .scales = at::constant_pad_nd(scales.squeeze(1), {0, tiles * tile_columns - out}),
                .in = in,
                .out = out};
  w.sums = w.scales * padded.sum(1).to(at::kFloat);
  return w;
}

Tensor dequantise_weight(const Int8Weights& w) {
  const Tensor codes = w.blocks.transpose(1, 2).flatten(2).flatten(0, 1);  // [out, in], padded
  return (codes.to(at::kFloat) * w.scales.unsqueeze(1)).slice(0, 0, w.out).slice(1, 0, w.in);
}

at::ScalarType int8_activation_dtype() {
  return cpu_info().avx512_bf16 || cpu_info().amx_bf16 ? at::kBFloat16 : at::kFloat;
}

const char* linear_int8_obstacle(const Tensor& x) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!x.is_cpu()) return "the input is not on the CPU";
  if (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16) return "the input is neither fp32 nor bf16";
  return "";
}

Tensor linear_int8_reference(const Tensor& x, const Int8Weights& w, const Tensor& bias, const Epilogue& e) {
  const Tensor wide = x.to(at::kFloat);
  const Tensor low = wide.amin(-1, /*keepdim=*/true), range = wide.amax(-1, /*keepdim=*/true) - low;
  const Tensor step = at::where(range > 1e-30, range / 255, 1.0);
  const Tensor seen = low + step * ((wide - low) * step.reciprocal()).round();
  const Tensor y = at::linear(seen, dequantise_weight(w), bias.defined() ? bias.to(at::kFloat) : bias);
  return finish(activate(y, e.activation), e).to(x.scalar_type());
}

Tensor linear_int8(const Tensor& x, const Int8Weights& w, const Tensor& bias, const Epilogue& e) {
  auto shape = x.sizes().vec();
  shape.back() = w.out;
  Tensor y = at::empty(shape, x.options());
  if (y.numel() == 0) return y;
  const bool activates = tile_applies(e.activation), all_inside = activates && !e.kept;
  const bool scales = all_inside && e.scale, adds = all_inside && e.residual;
  const Tensor channel_bias = in_whole_tiles(bias, w), layer_scale = scales ? in_whole_tiles(*e.scale, w) : Tensor();
  const Tensor dense = x.contiguous(), residual = adds ? e.residual->to(x.scalar_type()).expand(shape).contiguous() : y;
  with_elements_of(x.scalar_type(), [&]<class T>(T*) {
    multiply_rows<T>(
        {elements<T>(dense), y.numel() / w.out, w.in}, w,
        {.target = {.out = elements<T>(y), .residual = adds ? elements<T>(residual) : nullptr, .stride = w.out},
         .bias = channel_bias.const_data_ptr<float>(),
         .layer_scale = scales ? layer_scale.const_data_ptr<float>() : nullptr,
         .activation = activates ? e.activation : Activation::none});
  });
  return all_inside ? y : finish(activates ? y : activate(y, e.activation), e);
}

}  // namespace nunchi::ops
