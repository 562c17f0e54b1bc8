#include "explain/subject.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <span>

#include "nn/watch.h"
#include "tasks/attention_map.h"

namespace nunchi::explain {
namespace {

// Gradients of the sum of the scores; their graph is gone afterwards.
std::vector<Tensor> gradients(const Tensor& scores, const std::vector<Tensor>& of) {
  return torch::autograd::grad({scores.sum()}, of);
}

// Of a network that keeps its class logits under this name.
const Tensor& logits_of(const models::ModelOutput& output) {
  if (output.logits.defined()) return output.logits;
  throw Error(ErrorKind::usage,
              "this model has no classes whose answer could be explained; attention, rollout and eigen-cam need none");
}

}  // namespace

Tensor score(const Tensor& logits, const Target& target) {
  const Tensor own = logits.select(1, target.answer);
  return target.instead_of ? own - logits.select(1, *target.instead_of) : own;
}

Subject::Subject(const tasks::VisionModel& model, const Tensor& pixels)
    : Subject(model, pixels, anatomy_of(model, {pixels.size(1), pixels.size(2), pixels.size(3)})) {}

Subject::Subject(const tasks::VisionModel& model, Tensor pixels, Anatomy anatomy)
    : model_(model), pixels_(std::move(pixels)), anatomy_(std::move(anatomy)) {}

Subject Subject::seen_by(models::Model& network) const {
  Subject other(model_, pixels_, anatomy_);
  other.network_ = &network;
  return other;
}

models::Model& Subject::plain() const { return network_ != nullptr ? *network_ : model_.plain_network(); }

Tensor Subject::logits(const Tensor& pixels) const { return logits_of(forward(pixels)); }

const Tensor& Subject::logits() const {
  if (!logits_.defined()) logits_ = logits(pixels_);
  return logits_;
}

const models::ModelOutput& Subject::with_attention() const {
  if (!with_attention_) with_attention_ = forward(pixels_, {.attentions = true});
  return *with_attention_;
}

models::ModelOutput Subject::forward(const Tensor& pixels, const models::ForwardOptions& options) const {
  if (network_ == nullptr) return model_.forward(pixels, options);
  const c10::InferenceMode inference;
  return tasks::as_float_on_cpu(network_->forward(pixels.to(model_.device()), options));
}

Tensor Subject::on_device(const Tensor& pixels) const {
  return pixels.detach().to(model_.device(), pixels.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
}

void Subject::require_map(const std::string& layer) const {
  const auto found = std::ranges::find(anatomy_.layers, layer, &Layer::name);
  if (found != anatomy_.layers.end() && is_map(found->shape, anatomy_)) return;
  const auto maps = map_layers(anatomy_);
  const auto some = std::span(maps).last(std::min<std::size_t>(maps.size(), 4));
  throw Error(ErrorKind::usage, fmt::format("--layer {}: expected a layer whose values have places in the picture, "
                                            "found {}; such are {} and {} more",
                                            layer, found == anatomy_.layers.end() ? "none" : to_string(found->shape),
                                            fmt::join(some, ", "), maps.size() - some.size()));
}

Tensor Subject::activations(const std::string& layer) const {
  require_map(layer);
  Tensor kept;
  const nn::Watch watch(network_ != nullptr ? *network_ : model_.network(),
                        [&](const std::string& name, const Tensor& values) {
                          if (name == layer) kept = values;
                          return values;
                        });
  forward(pixels_);
  return as_map(kept, anatomy_)[0].to(at::kCPU, at::kFloat);
}

LayerEvidence Subject::at_layer(const std::string& layer, const Target& target) const {
  require_map(layer);
  const at::AutoGradMode with_gradients(true);
  Tensor leaf;
  const nn::Watch watch(plain(), [&](const std::string& name, const Tensor& values) {
    if (name != layer || leaf.defined()) return values;
    leaf = values.detach().requires_grad_(true);
    return leaf;
  });
  const Tensor scores = score(logits_of(plain().forward(on_device(pixels_))), target);
  const Tensor gradient = gradients(scores, {leaf}).front();
  return {.activations = as_map(leaf.detach(), anatomy_)[0].cpu(), .gradients = as_map(gradient, anatomy_)[0].cpu()};
}

Tensor Subject::input_gradients(const Tensor& pixels, const Target& target) const {
  const at::AutoGradMode with_gradients(true);
  const Tensor input = on_device(pixels).requires_grad_(true);
  return gradients(score(logits_of(plain().forward(input)), target), {input}).front().cpu();
}

AttentionEvidence Subject::attention(const Target& target) const {
  const at::AutoGradMode with_gradients(true);
  const Tensor input = on_device(pixels_).requires_grad_(true);
  const auto output = plain().forward(input, {.attentions = true});
  tasks::require_attention_map(output);
  AttentionEvidence evidence;
  for (const Tensor& gradient : gradients(score(logits_of(output), target), output.attentions))
    evidence.gradients.push_back(gradient[0].cpu());
  for (const Tensor& weights : output.attentions) evidence.weights.push_back(weights.detach()[0].cpu());
  return evidence;
}

}  // namespace nunchi::explain
