#include "nn/linear.h"

#include <ATen/ops/dropout.h>

#include "nn/initialise.h"
#include "ops/linear_int8.h"
#include "ops/product.h"

namespace nunchi::nn {

Linear::Linear(std::int64_t in, std::int64_t out, bool bias) {
  parameter("weight", weights.weight, {out, in});
  slot_of(weights.weight).has_int8 = true;
  if (bias) parameter("bias", weights.bias, {out});
}

Tensor Linear::forward(const Tensor& x, const ops::Epilogue& epilogue) const {
  if (!is_training() || (dropout == 0 && input_dropout == 0)) return seen(ops::linear(x, weights, epilogue));
  const Tensor some = input_dropout > 0 ? at::dropout(x, input_dropout, /*train=*/true) : x;
  if (dropout == 0) return seen(ops::linear(some, weights, epilogue));
  const Tensor y = ops::linear(some, weights, {.activation = epilogue.activation});
  return seen(ops::finish(at::dropout(y, dropout, /*train=*/true), epilogue));
}

Tensor Linear::forward_with_bias(const Tensor& x, const Tensor& bias) const {
  return seen(ops::linear(x, {.weight = weights.weight, .bias = bias}));
}

void Linear::keep_bias(const Tensor& bias) {
  weights.bias = bias;
  if (weights.packed) weights.packed->bias = ops::in_whole_tiles(bias, weights.packed->out);
}

void Linear::freeze(const FreezeOptions& options) {
  Slot& weight = slot_of(weights.weight);
  fetch(weight, options);
  if (weights.bias.defined()) cast(slot_of(weights.bias), options);
  const Tensor plain = weights.weight;
  if (options.precision == Precision::int8 && !weight.in_float)
    weights.packed = ops::quantise_weight(plain, weights.bias);
  else
    weights.packed = ops::pack_linear(plain.detach().to(activation_dtype(options.precision)), weights.bias);
  if (weights.packed)
    release(weight, options);
  else
    cast(weight, options);
}

void Linear::thaw() {
  weights.packed.reset();
  Module::thaw();
}

void Linear::initialise(const at::Generator& generator) {
  weights.weight = truncated_normal(slot_of(weights.weight).shape, generator);
  if (weights.bias.defined()) weights.bias = constant(slot_of(weights.bias).shape, 0);
}

}  // namespace nunchi::nn
