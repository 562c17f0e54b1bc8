#include "nn/conv.h"

#include "nn/initialise.h"
#include "ops/conv_int8.h"

namespace nunchi::nn {

Conv::Conv(const ConvConfig& c) : options_{.stride = c.stride, .padding = {c.padding, c.padding}, .groups = c.groups} {
  parameter("weight", weights_.weight, {c.out, c.in / c.groups, c.kernel[0], c.kernel[1]});
  slot_of(weights_.weight).has_int8 = c.groups == 1;
  if (c.bias) parameter("bias", weights_.bias, {c.out});
}

void Conv::freeze(const FreezeOptions& options) {
  Slot& weight = slot_of(weights_.weight);
  fetch(weight, options);
  if (weights_.bias.defined()) cast(slot_of(weights_.bias), options);
  const auto dtype = activation_dtype(options.precision);
  if (options.precision == Precision::int8 && weight.has_int8 && !weight.in_float) {
    weights_.matrix =
        std::make_shared<const ops::ConvMatrix>(ops::quantise_conv(weights_.weight, weights_.bias, options_));
  } else {
    ops::ConvWeights owned{.weight = weights_.weight.detach().to(dtype, /*non_blocking=*/false, /*copy=*/true),
                           .bias = weights_.bias};
    ops::pack_conv(owned, options_);
    weights_.matrix = std::move(owned.matrix);
    weights_.depthwise = std::move(owned.depthwise);
    weights_.grouped = std::move(owned.grouped);
  }
  if (weights_.is_packed())
    release(weight, options);
  else
    cast(weight, options);
}

void Conv::thaw() {
  weights_.matrix.reset();
  weights_.depthwise.reset();
  weights_.grouped.reset();
  Module::thaw();
}

void Conv::initialise(const at::Generator& generator) {
  weights_.weight = truncated_normal(slot_of(weights_.weight).shape, generator);
  if (weights_.bias.defined()) weights_.bias = constant(slot_of(weights_.bias).shape, 0);
}

}  // namespace nunchi::nn
