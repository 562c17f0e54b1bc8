#include "ops/linear_int8.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/where.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <memory>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/int8_kernels.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

// LibTorch's product of bytes needs the dot products of VNNI or AMX.
void multiply_by_brgemm(const CodeProduct& p) {
  at::native::cpublas::brgemm(p.rows, tile_columns, p.depth, p.depth, tile_columns, tile_columns, false, p.codes,
                              reinterpret_cast<const signed char*>(p.block), p.products, /*is_vnni=*/true);
}

Int8Kernels chosen_kernels() {
  auto kernels = NUNCHI_OF_CHOSEN_ISA(int8_kernels);
  const bool has_product = cpu_info().avx512_vnni || cpu_info().amx_int8;
  if (chosen_isa() == Isa::avx512 && has_product) kernels.multiply = multiply_by_brgemm;
  return kernels;
}

// [out], or nothing -> fp32, with zeros up to whole tiles.
std::vector<float> per_channel(const Tensor& values, const Int8Weights& w) {
  std::vector<float> channels(static_cast<std::size_t>(w.scales.size(0)));
  if (!values.defined()) return channels;
  const Tensor wide = values.to(at::kFloat).contiguous();
  std::copy_n(wide.const_data_ptr<float>(), w.out, channels.begin());
  return channels;
}

// One call: rows of codes, and the tiles that are made of them.
template <class T>
struct Call {
  const Int8Weights& w;
  const T* x;
  T* out;
  const T* residual;
  const float *bias, *layer_scale;  // per channel, in whole tiles; layer_scale may be null
  Activation activation;
  int64_t rows;

  int64_t depth() const { return rounded_up(w.in, 4); }
};

// About 64 rows to a tile, evenly.
int64_t rows_of_tile(int64_t rows) {
  constexpr int64_t most = 64;
  return divided_up(rows, divided_up(rows, most));
}

template <class T>
void quantise_rows(const Call<T>& c, const Int8Kernels& kernels, std::uint8_t* codes, RowCode* of_row) {
  at::parallel_for(0, c.rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) of_row[i] = kernels.quantise(c.x + i * c.w.in, c.w.in, codes + i * c.depth());
  });
}

template <class T>
void multiply_tiles(const Call<T>& c, const Int8Kernels& kernels, const std::uint8_t* codes, const RowCode* of_row) {
  const auto height = rows_of_tile(c.rows), down = divided_up(c.rows, height), across = c.w.blocks.size(0);
  // Tiles below each other share their weights, as long as their codes stay in the second cache.
  const auto together = std::clamp<int64_t>((int64_t{512} << 10) / (height * c.depth()), 1, down);
  const auto* blocks = c.w.blocks.template const_data_ptr<std::int8_t>();
  const auto *scales = c.w.scales.template const_data_ptr<float>(), *sums = c.w.sums.template const_data_ptr<float>();
  at::parallel_for(0, down * across, 1, [&](int64_t begin, int64_t end) {
    const std::unique_ptr<std::int32_t[]> products(new std::int32_t[height * tile_columns]);
    for (int64_t task = begin; task < end; ++task) {
      const auto group = task / (together * across) * together, in_group = std::min(together, down - group);
      const auto within = task - group * across;
      const auto column = within / in_group * tile_columns, first = (group + within % in_group) * height;
      const auto rows = std::min(height, c.rows - first);
      kernels.multiply({codes + first * c.depth(), blocks + column * c.depth(), rows, c.depth(), products.get()});
      kernels.finish({.products = products.get(),
                      .rows = rows,
                      .columns = std::min(tile_columns, c.w.out - column),
                      .of_row = of_row + first,
                      .scales = scales + column,
                      .sums = sums + column,
                      .bias = c.bias + column,
                      .activation = c.activation,
                      .layer_scale = c.layer_scale ? c.layer_scale + column : nullptr},
                     {.out = c.out + first * c.w.out + column,
                      .residual = c.residual ? c.residual + first * c.w.out + column : nullptr,
                      .stride = c.w.out});
    }
    at::native::cpublas::brgemm_release();
  });
}

template <class T>
void run(const Call<T>& c) {
  const auto kernels = chosen_kernels();
  const Tensor codes = at::empty({c.rows, c.depth()}, at::kByte);
  const std::unique_ptr<RowCode[]> of_row(new RowCode[c.rows]);
  quantise_rows(c, kernels, codes.mutable_data_ptr<std::uint8_t>(), of_row.get());
  multiply_tiles(c, kernels, codes.const_data_ptr<std::uint8_t>(), of_row.get());
}

// bf16 as its bits: the kernels know nothing of LibTorch.
template <class T>
T* elements(const Tensor& t) {
  return static_cast<T*>(t.data_ptr());
}

}  // namespace

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
  const bool activates = tile_applies(e.activation), all_inside = activates && !e.kept;
  const bool scales = all_inside && e.scale, adds = all_inside && e.residual;
  const auto channel_bias = per_channel(bias, w), layer_scale = per_channel(scales ? *e.scale : Tensor(), w);
  const Tensor dense = x.contiguous(), residual = adds ? e.residual->to(x.scalar_type()).expand(shape).contiguous() : y;
  const auto fill = [&]<class T>(T*) {
    run(Call<T>{.w = w,
                .x = elements<T>(dense),
                .out = elements<T>(y),
                .residual = adds ? elements<T>(residual) : nullptr,
                .bias = channel_bias.data(),
                .layer_scale = scales ? layer_scale.data() : nullptr,
                .activation = activates ? e.activation : Activation::none,
                .rows = y.numel() / w.out});
  };
  if (y.numel() == 0) return y;
  if (x.scalar_type() == at::kFloat)
    fill(static_cast<float*>(nullptr));
  else
    fill(static_cast<Bf16Bits*>(nullptr));
  return all_inside ? y : finish(activates ? y : activate(y, e.activation), e);
}

}  // namespace nunchi::ops
