#include "nn/block.h"

namespace nunchi::nn {

Block::Block(const BlockConfig& config)
    : norm1(config.attention.dim, config.eps, config.norm_kind),
      attn(config.attention),
      norm2(config.mlp.dim, config.eps, config.norm_kind),
      mlp(config.mlp),
      norm_after_(config.norm_after),
      drop_path_(config.drop_path) {
  ASSERT(!norm_after_ || (!config.scale_attention && !config.scale_mlp), "a norm after a half takes the scale's place");
  if (config.scale_attention) parameter("gamma_1", gamma_1_, {config.attention.dim});
  if (config.scale_mlp) parameter("gamma_2", gamma_2_, {config.mlp.dim});
  child("norm1", norm1);
  child("attn", attn);
  child("norm2", norm2);
  child("mlp", mlp);
}

ops::Epilogue Block::add_to(const Tensor& residual, const Tensor& gamma) const {
  return {.scale = gamma.defined() ? std::optional(gamma) : std::nullopt,
          .residual = residual,
          .kept = drop_path_.draw(residual, is_training())};
}

Tensor Block::forward(const Tensor& x, const Attention::Options& options) const {
  if (norm_after_) {
    const Tensor y = x + drop_path_.apply(norm1.forward(attn.forward(x, {}, options)), is_training());
    return seen(y + drop_path_.apply(norm2.forward(mlp.forward(y)), is_training()));
  }
  const Tensor y = attn.forward(norm1.forward(x), add_to(x, gamma_1_), options);
  return seen(mlp.forward(norm2.forward(y), add_to(y, gamma_2_)));
}

void Block::initialise(const at::Generator& generator) {
  Module::initialise(generator);
  for (Tensor* gamma : {&gamma_1_, &gamma_2_}) {
    if (gamma->defined()) *gamma = constant(slot_of(*gamma).shape, 1e-5);
  }
}

}  // namespace nunchi::nn
