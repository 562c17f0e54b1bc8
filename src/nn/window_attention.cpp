#include "nn/window_attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/index.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log2.h>
#include <ATen/ops/meshgrid.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <cmath>

#include "nn/initialise.h"
#include "nn/relative_position.h"
#include "ops/attention.h"

namespace nunchi::nn {
namespace {

constexpr std::int64_t position_network_width = 512;

std::int64_t area(Grid grid) { return grid[0] * grid[1]; }

Tensor pad(const Tensor& map, Grid to) {
  const auto below = to[0] - map.size(1), right = to[1] - map.size(2);
  return below == 0 && right == 0 ? map : at::constant_pad_nd(map, {0, 0, 0, right, 0, below});
}

Grid whole_windows(Grid map, Grid window) {
  return {(map[0] + window[0] - 1) / window[0] * window[0], (map[1] + window[1] - 1) / window[1] * window[1]};
}

// 0 for what the shift leaves in its place along an axis, 1 for what it brings around the edge.
Tensor came_around(std::int64_t length, std::int64_t shift) {
  return (at::arange(length) >= length - shift).to(at::kLong);
}

Tensor parted_pairs(const WindowCut& cut) {
  const auto [rows, columns] = cut.padded();
  const Tensor region = 2 * came_around(rows, cut.shift[0]).unsqueeze(1) + came_around(columns, cut.shift[1]);
  const Tensor regions = partition_windows(region.view({1, rows, columns, 1}), cut.window).flatten(1);
  return regions.unsqueeze(1) != regions.unsqueeze(2);  // [windows, n, n]
}

// Vectors of length one, in fp32 where x has less.
Tensor unit(const Tensor& x) {
  const auto dtype = c10::promoteTypes(x.scalar_type(), at::kFloat);
  return x / at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true, dtype).clamp_min(1e-12);
}

// Ways from a token to another along one axis: sign(d) log2(1 + |8 d / extent|) / log2(8), d from -(length - 1) up.
Tensor log_spaced(std::int64_t length, std::int64_t pretrained) {
  const auto extent = std::max<std::int64_t>((pretrained > 0 ? pretrained : length) - 1, 1);
  const Tensor ways = at::arange(1 - length, length, at::kFloat) / static_cast<double>(extent) * 8;
  return at::sign(ways) * at::log2(ways.abs() + 1) / 3;
}

Tensor log_spaced_coordinates(Grid window, Grid pretrained) {
  const auto axes = at::meshgrid({log_spaced(window[0], pretrained[0]), log_spaced(window[1], pretrained[1])}, "ij");
  return at::stack({axes[0].flatten(), axes[1].flatten()}, 1);  // [(2 window_h - 1) * (2 window_w - 1), 2]
}

// Of the tokens in the upper left part of a window: [n, n].
Tensor index_of_part(Grid part, Grid window) {
  const Tensor index = relative_position_index(window).view({window[0], window[1], window[0], window[1]});
  return index.slice(0, 0, part[0])
      .slice(1, 0, part[1])
      .slice(2, 0, part[0])
      .slice(3, 0, part[1])
      .reshape({area(part), area(part)});
}

std::int64_t inner_dim(const WindowAttentionConfig& config) {
  if (config.head_dim) return config.heads * *config.head_dim;
  if (config.heads < 1 || config.dim % config.heads != 0) {
    throw Error(ErrorKind::model,
                fmt::format("window attention: {} heads do not divide a width of {}", config.heads, config.dim));
  }
  return config.dim;
}

}  // namespace

Tensor partition_windows(const Tensor& map, Grid window) {
  const auto b = map.size(0), c = map.size(3);
  const auto whole = whole_windows({map.size(1), map.size(2)}, window);
  return pad(map, whole)
      .view({b, whole[0] / window[0], window[0], whole[1] / window[1], window[1], c})
      .transpose(2, 3)  // [b, rows, columns, window_h, window_w, c]
      .reshape({-1, window[0], window[1], c});
}

Grid WindowCut::padded() const { return whole_windows(map, window); }

Windows::Windows(const WindowCut& cut, at::Device device) : cut_(cut) {
  if (cut.map == cut.window && !cut.is_shifted()) return;  // one window: nothing moves
  const c10::InferenceMode outside(false);                 // the same indices serve training
  const auto moved = cut.shift_then_pad ? cut.map : cut.padded();
  const Tensor numbers = at::arange(1, area(cut.map) + 1).view({1, cut.map[0], cut.map[1], 1});
  const Tensor there = at::roll(pad(numbers, moved), {-cut.shift[0], -cut.shift[1]}, {1, 2});
  const Tensor tokens = partition_windows(there, cut.window).flatten(1) - 1;  // -1: padding
  const Tensor rows = tokens.masked_scatter(tokens < 0, at::arange(area(cut.map), area(cut.padded())));
  rows_ = {.rows = rows.to(device), .places = rows.flatten().argsort().to(device)};
  if (cut.is_shifted()) parted_ = parted_pairs(cut).to(device);
}

Tensor Windows::with_padding(const Tensor& x) const {
  const auto lacking = area(cut_.padded()) - x.size(1);
  return lacking == 0 ? x : at::constant_pad_nd(x, {0, 0, 0, lacking});
}

Tensor Windows::without_padding(const Tensor& x) const { return x.slice(1, 0, area(cut_.map)); }

WindowAttention::WindowAttention(const WindowAttentionConfig& config)
    : qkv(config.dim, 3 * inner_dim(config), config.qkv_bias && !config.cosine),
      proj(inner_dim(config), config.dim),
      config_(config) {
  const auto ways = (2 * config.window[0] - 1) * (2 * config.window[1] - 1);
  if (config.cosine) {
    parameter("logit_scale", logit_scale_, {config.heads, 1, 1});
    if (config.qkv_bias) parameter("q_bias", q_bias_, {inner_dim(config)});
    if (config.qkv_bias) parameter("v_bias", v_bias_, {inner_dim(config)});
    child("cpb_mlp.0", cpb_in_.emplace(2, position_network_width));
    child("cpb_mlp.2", cpb_out_.emplace(position_network_width, config.heads, /*bias=*/false));
    for (Linear* linear : {&*cpb_in_, &*cpb_out_})  // their table is made before inference, in fp32
      for (const auto& [name, slot] : linear->tensors()) slot->has_int8 = false;
  } else {
    parameter("relative_position_bias_table", table_, {ways, config.heads});
  }
  child("qkv", qkv);
  child("proj", proj);
  proj.dropout = config.projection_dropout;
}

namespace {

// LibTorch's product sums in another order where memory is aligned otherwise, as in a mapped file: a frozen table would
// differ in its last bits from that of the same weights after training.
ops::LinearWeights in_own_memory(const Linear& linear) {
  const auto& w = linear.weights;
  return {.weight = w.weight.clone(), .bias = w.bias.defined() ? w.bias.clone() : Tensor()};
}

}  // namespace

Tensor WindowAttention::forward(const Tensor& x, const Windows& windows, const ops::Epilogue& epilogue,
                                Tensor* weights) const {
  const auto parts = project(x).view({x.size(0), x.size(1), 3, config_.heads, -1}).unbind(2);
  Tensor q = parts[0], k = parts[1];  // [b, windows * n, heads, head_dim]
  if (config_.cosine) {
    q = (unit(q) * scale()).to(x.scalar_type());
    k = unit(k).to(x.scalar_type());
  }
  const auto result = ops::attention(q, k, parts[2],
                                     {.scale = config_.cosine ? std::optional(1.0) : std::nullopt,
                                      .bias = bias(windows),
                                      .windows = windows.rows(),
                                      .dropout = is_training() ? config_.attention_dropout : 0,
                                      .return_weights = weights != nullptr});
  if (weights) *weights = result.weights;
  return seen(proj.forward(result.output.reshape({x.size(0), x.size(1), -1}), epilogue));
}

Tensor WindowAttention::bias(const Windows& windows) const {
  const auto& cut = windows.cut();
  const auto index = [&] {
    const c10::InferenceMode outside(false);
    return index_of_part(cut.window, config_.window).flatten();
  };
  if (is_frozen()) return bias_.of(cut, [&] { return bias_at(index(), windows); });
  return bias_at(index_.of(cut, index), windows);
}

Tensor WindowAttention::bias_at(const Tensor& index, const Windows& windows) const {
  const Tensor rows = table();
  const auto n = area(windows.cut().window);
  Tensor bias = at::index(rows, {std::optional(index.to(rows.device()))}).view({n, n, config_.heads});
  bias = bias.permute({2, 0, 1}).unsqueeze(0).contiguous();  // [1, heads, n, n]
  if (windows.parted().defined())
    bias = bias + windows.parted().unsqueeze(1).to(bias.scalar_type()) * config_.parted_score;
  return bias;
}

Tensor WindowAttention::project(const Tensor& x) const {
  if (!q_bias_.defined() || is_frozen()) return qkv.forward(x);
  return qkv.forward_with_bias(x, joined_bias());
}

Tensor WindowAttention::joined_bias() const { return at::cat({q_bias_, at::zeros_like(q_bias_), v_bias_}, 0); }

Tensor WindowAttention::table() const {
  if (is_frozen()) return frozen_table_;
  if (!config_.cosine) return table_;
  const Tensor coordinates = log_spaced_coordinates(config_.window, config_.pretrained_window);
  const Tensor hidden = ops::linear(coordinates.to(logit_scale_.options()), in_own_memory(*cpb_in_),
                                    {.activation = ops::Activation::relu});
  return 16 * at::sigmoid(ops::linear(hidden, in_own_memory(*cpb_out_)));
}

Tensor WindowAttention::scale() const {
  if (is_frozen()) return frozen_scale_;
  return logit_scale_.clamp_max(std::log(100.0)).exp().flatten(1);
}

void WindowAttention::freeze(const FreezeOptions& options) {
  if (config_.cosine) frozen_scale_ = scale().detach();
  frozen_table_ = table().detach().clone();
  forget();
  if (table_.defined()) release(slot_of(table_), options);
  for (const Tensor* tensor : {&logit_scale_, &q_bias_, &v_bias_}) {
    if (tensor->defined()) cast(slot_of(*tensor), options);
  }
  freeze_children(options);
  if (q_bias_.defined()) qkv.keep_bias(joined_bias());
}

void WindowAttention::thaw() {
  frozen_table_ = frozen_scale_ = Tensor();
  forget();
  if (q_bias_.defined()) qkv.weights.bias = Tensor();
  Module::thaw();
}

void WindowAttention::forget() {
  bias_.forget();
  index_.forget();
}

void WindowAttention::initialise(const at::Generator& generator) {
  Module::initialise(generator);
  if (table_.defined()) table_ = constant(slot_of(table_).shape, 0);
  if (logit_scale_.defined()) logit_scale_ = constant(slot_of(logit_scale_).shape, std::log(10.0));
  for (Tensor* bias : {&q_bias_, &v_bias_}) {
    if (bias->defined()) *bias = constant(slot_of(*bias).shape, 0);
  }
}

}  // namespace nunchi::nn
