#include "nn/conv_norm.h"

#include <ATen/ops/rsqrt.h>
#include <ATen/ops/zeros.h>

#include "nn/initialise.h"
#include "nn/input_ranges.h"
#include "ops/conv_int8.h"
#include "ops/depthwise.h"
#include "ops/relevance.h"

namespace nunchi::nn {

ConvNorm::ConvNorm(const ConvNormConfig& c) : config_(c) {
  options_ = {.stride = {c.stride, c.stride},
              .padding = {c.padding, c.padding},
              .dilation = {c.dilation, c.dilation},
              .groups = c.groups,
              .same = c.same};
  normalization_.eps = c.eps;
  const auto norm = c.normalization_key + ".";
  parameter(c.convolution_key + ".weight", convolution_.weight, {c.out, c.in / c.groups, c.kernel, c.kernel});
  slot_of(convolution_.weight).has_int8 = c.groups == 1;
  takes_codes_ = c.groups == 1 || ops::is_depthwise(convolution_.weight, c.groups);
  if (c.bias) parameter(c.convolution_key + ".bias", convolution_.bias, {c.out});
  parameter(norm + "weight", normalization_.weight, {c.out});
  parameter(norm + "bias", normalization_.bias, {c.out});
  buffer(norm + "running_mean", normalization_.running_mean, {c.out});
  buffer(norm + "running_var", normalization_.running_var, {c.out});
  buffer(norm + "num_batches_tracked", batches_tracked_, {}, at::kLong);
}

Tensor ConvNorm::forward(const Tensor& x, const std::optional<Tensor>& residual,
                         const std::optional<Tensor>& kept) const {
  const auto at_once = [&](const ops::ConvWeights& weights) {
    const auto codes = weights.takes_codes() ? codes_for_next() : std::nullopt;
    return seen(
        ops::conv2d(x, weights, options_, {.activation = config_.activation, .residual = residual, .codes = codes}));
  };
  if (takes_codes_) InputRanges::see(convolution_.weight, x);
  if (is_frozen()) return at_once(folded_);
  if (ops::relevance_rules() != nullptr) return at_once(folded());  // shares are those of both as one layer
  Tensor y = convolve_and_normalise(x);
  if (kept) y = y * *kept;
  return seen(ops::activate(residual ? y + *residual : y, config_.activation));
}

std::optional<ops::CodeScale> ConvNorm::codes_for_next() const {
  return next_ != nullptr && detail::watching == nullptr ? next_->input_ : std::nullopt;
}

Tensor ConvNorm::convolve_and_normalise(const Tensor& x) const {
  if (is_training()) batches_tracked_.add_(1);
  return ops::batch_norm(ops::conv2d(x, convolution_, options_), normalization_, is_training(), config_.momentum);
}

ops::ConvWeights ConvNorm::folded() const {
  const auto& n = normalization_;
  const Tensor scale = n.weight.detach() * at::rsqrt(n.running_var + n.eps);
  const Tensor mean = config_.bias ? n.running_mean - convolution_.bias.detach() : n.running_mean;
  return {.weight = convolution_.weight.detach() * scale.view({-1, 1, 1, 1}), .bias = n.bias.detach() - mean * scale};
}

void ConvNorm::freeze(const FreezeOptions& options) {
  Slot& weight = slot_of(convolution_.weight);
  fetch(weight, options);
  folded_ = folded();
  const bool int8 = options.precision == Precision::int8, in_int8 = int8 && weight.has_int8 && !weight.in_float;
  input_ = in_int8 || (int8 && takes_codes_ && !weight.has_int8) ? weight.input : std::nullopt;
  if (in_int8) {
    folded_ = {.matrix =
                   std::make_shared<const ops::ConvMatrix>(ops::quantise_conv(folded_.weight, folded_.bias, options_))};
  } else {
    const auto dtype = activation_dtype(options.precision);
    folded_.weight = folded_.weight.to(dtype);
    folded_.bias = folded_.bias.to(dtype);
    ops::pack_conv(folded_, options_);
  }
  for (Tensor* tensor : {&convolution_.weight, &convolution_.bias, &normalization_.weight, &normalization_.bias,
                         &normalization_.running_mean, &normalization_.running_var}) {
    if (tensor->defined()) release(slot_of(*tensor), options);
  }
}

void ConvNorm::thaw() {
  folded_ = {};
  input_.reset();
  Module::thaw();
}

void ConvNorm::initialise(const at::Generator& generator) {
  convolution_.weight = kaiming_normal_fan_out(slot_of(convolution_.weight).shape, generator);
  const Shape channels = {config_.out};
  if (config_.bias) convolution_.bias = constant(channels, 0);
  normalization_.weight = constant(channels, 1);
  normalization_.bias = constant(channels, 0);
  normalization_.running_mean = constant(channels, 0);
  normalization_.running_var = constant(channels, 1);
  batches_tracked_ = at::zeros({}, at::kLong);
}

}  // namespace nunchi::nn
