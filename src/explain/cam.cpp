#include "explain/cam.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

namespace nunchi::explain {
namespace {

// weights [channels] of activations [channels, rows, columns].
Tensor weighted(const Tensor& weights, const Tensor& activations) {
  return at::relu((weights.view({-1, 1, 1}) * activations).sum(0));
}

// Equation 19, with the powers of the gradient for the higher derivatives of exp(score). Where the gradient is zero,
// so is the factor.
Tensor curvature_factors(const LayerEvidence& e) {
  const Tensor square = e.gradients.square(), cube = square * e.gradients;
  const Tensor sum = e.activations.sum({1, 2}, /*keepdim=*/true);
  const Tensor factors = square / (2 * square + sum * cube + 1e-6);
  return at::where(e.gradients != 0, factors, at::zeros_like(factors));
}

}  // namespace

Tensor class_activation_map(Cam kind, const LayerEvidence& e) {
  switch (kind) {
    case Cam::grad:
      return weighted(e.gradients.mean({1, 2}), e.activations);
    case Cam::grad_plus_plus:
      return weighted((at::relu(e.gradients) * curvature_factors(e)).sum({1, 2}), e.activations);
    case Cam::hires:
      return at::relu((e.gradients * e.activations).sum(0));
    case Cam::layer:
      return at::relu((at::relu(e.gradients) * e.activations).sum(0));
  }
  ASSERT(false, "every kind has its case");
}

Tensor eigen_cam(const Tensor& activations) {
  const Tensor places = activations.flatten(1).t().to(at::kDouble);  // [places, channels]
  const Tensor centred = places - places.mean(0, /*keepdim=*/true);
  const bool wide = centred.size(1) > centred.size(0);  // the smaller of X X^T and X^T X has the same component
  const Tensor gram = wide ? at::matmul(centred, centred.t()) : at::matmul(centred.t(), centred);
  const auto [values, vectors] = at::linalg_eigh(gram);
  const Tensor last = vectors.select(1, -1);  // of the largest value
  const Tensor component = wide ? last * values[-1].clamp_min(0).sqrt() : at::matmul(centred, last);
  const bool is_turned = -component.min().item<double>() > component.max().item<double>();
  return at::relu(is_turned ? -component : component).to(at::kFloat).view({activations.size(1), activations.size(2)});
}

Tensor score_cam(const Subject& subject, const std::string& layer, const Target& target, const Work& work) {
  const Tensor activations = subject.activations(layer);
  const auto image = subject.anatomy().image;
  const auto seen_through = [&](std::int64_t begin, std::int64_t end) {
    const Tensor channels = activations.slice(0, begin, end).unsqueeze(1);
    const Tensor masks = at::upsample_bilinear2d(channels, {image[0], image[1]}, /*align_corners=*/true);
    const Tensor least = at::amin(masks, {1, 2, 3}, true), greatest = at::amax(masks, {1, 2, 3}, true);
    return subject.pixels() * ((masks - least) / (greatest - least + 1e-8));
  };
  const Tensor scores = scores_of(subject, target, activations.size(0), work, seen_through);
  return weighted(at::softmax(scores, 0), activations);
}

}  // namespace nunchi::explain
