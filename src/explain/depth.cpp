#include "explain/depth.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>
#include <fmt/format.h>

#include <algorithm>

#include "nn/watch.h"

namespace nunchi::explain {
namespace {

// Tokens of one shape after the embeddings and every block.
void require_blocks(const models::ModelOutput& output) {
  const auto& states = output.hidden_states;
  const bool chain = states.size() >= 2 && std::ranges::all_of(states, [&](const Tensor& state) {
                       return state.dim() == 3 && state.sizes() == states.front().sizes();
                     });
  if (chain) return;
  throw Error(
      ErrorKind::usage,
      "drift and lens: expected a chain of equal blocks (ViT, DeiT, DINO, BEiT, EVA), found a model with stages; "
      "--show cka compares its layers");
}

}  // namespace

Tensor logit_lens(const tasks::VisionModel& model, const Tensor& pixels) {
  const auto output = model.forward(pixels, {.hidden_states = true});
  require_blocks(output);
  if (!output.logits.defined())
    throw Error(ErrorKind::usage,
                "lens: expected a model with a classifier, found one without; --show drift needs none");
  const Tensor states = at::cat(output.hidden_states);  // [depth + 1, n, dim]
  const auto last = fmt::format("blocks.{}", output.hidden_states.size() - 2);
  bool shown = false;
  const nn::Watch watch(model.network(), [&](const std::string& layer, const Tensor& y) {
    if (layer != last) return y;
    shown = true;
    return states.to(y.device(), y.scalar_type());
  });
  const Tensor logits = model.forward(pixels).logits;
  ASSERT(shown, "the last block is seen");
  return logits;
}

Drift class_token_drift(const models::ModelOutput& output) {
  require_blocks(output);
  Drift drift{.step = {}, .to_last = {}, .of_class_token = output.prefix_tokens > output.registers};
  std::vector<Tensor> tokens;
  for (const Tensor& state : output.hidden_states)
    tokens.push_back(drift.of_class_token ? state[0][0] : state[0].slice(0, output.prefix_tokens).mean(0));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto cosine = [&](const Tensor& other) { return at::cosine_similarity(tokens[i], other, 0).item<double>(); };
    drift.step.push_back(cosine(tokens[i == 0 ? 0 : i - 1]));
    drift.to_last.push_back(cosine(tokens.back()));
  }
  return drift;
}

}  // namespace nunchi::explain
