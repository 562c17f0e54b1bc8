// ops/relevance.h: layer-wise relevance propagation (Bach et al. 2015) by the gradients that are computed anyway.
//
// Within a scope every op gives the numbers that it always gives, but what flows back through it follows a rule of
// relevance instead of calculus, so that a value times its "gradient" is its relevance:
//
//   const ops::RelevanceScope scope;
//   const Tensor relevance = pixels * gradient(score(network.forward(pixels)), pixels);
//
// What weighs other values is a constant: attention weights, gates, what a norm divides by (Ali et al. 2022). An
// activation hands on what reaches it (Achtibat et al. 2024, equation 9). A linear layer or convolution shares out what
// reaches it by its products, those that agree with their sum counting 1 + gamma times (Montavon et al. 2019; for
// inputs of both signs Andeol et al. 2021). Biases keep their part.
#pragma once

#include <functional>

#include "ops/policy.h"
#include "ops/tensor.h"

namespace nunchi::ops {

struct RelevanceRules {
  double linear_gamma = 0.05, conv_gamma = 0.25;
};

// Of the calling thread; its ops take their reference paths until the scope ends.
class RelevanceScope {
 public:
  explicit RelevanceScope(const RelevanceRules& rules = {});
  ~RelevanceScope();
  RelevanceScope(const RelevanceScope&) = delete;
  RelevanceScope& operator=(const RelevanceScope&) = delete;

 private:
  PolicyScope reference_;
  const RelevanceRules* previous_;
  RelevanceRules rules_;
};

const RelevanceRules* relevance_rules();  // null outside

// --- what the ops make of it; outside a scope they give back what they got

// Of what weighs other values.
Tensor held(const Tensor& weights);

// y: an activation of x.
Tensor handed_on(const Tensor& x, const Tensor& y);

// y: x w + bias, a map that is linear in x and in w; bias may be undefined. magnitudes() is |x| |w|.
Tensor shared_out(const Tensor& y, const Tensor& bias, double gamma, const std::function<Tensor()>& magnitudes);

}  // namespace nunchi::ops
