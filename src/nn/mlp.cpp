#include "nn/mlp.h"

#include "ops/swiglu.h"

namespace nunchi::nn {

Mlp::Mlp(const MlpConfig& config)
    : fc1(config.dim, config.gated ? 2 * config.hidden : config.hidden, config.bias),
      fc2(config.hidden, config.dim, config.bias),
      activation_(config.activation),
      gate_(config.gate),
      gated_(config.gated) {
  child("fc1", fc1);
  if (config.norm_hidden) child("norm", norm.emplace(config.hidden, config.eps, config.norm_kind));
  child("fc2", fc2);
  fc1.dropout = config.gated ? 0 : config.dropout;
  fc2.dropout = config.dropout;
}

Tensor Mlp::forward(const Tensor& x, const ops::Epilogue& epilogue) const {
  const Tensor hidden = gated_ ? ops::gated(fc1.forward(x), gate_) : fc1.forward(x, {.activation = activation_});
  return seen(fc2.forward(norm ? norm->forward(hidden) : hidden, epilogue));
}

}  // namespace nunchi::nn
