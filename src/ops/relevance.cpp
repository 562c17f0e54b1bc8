#include "ops/relevance.h"

#include <ATen/ops/where.h>

namespace nunchi::ops {
namespace {

thread_local const RelevanceRules* current_rules = nullptr;

// The numbers of y; what reaches y flows on to z times y / z, so that z's relevance is y's.
Tensor with_gradient_of(const Tensor& z, const Tensor& y) {
  const Tensor values = z.detach(), numbers = y.detach();
  return numbers + (z - values) * at::where(values == 0, 0, numbers / values);
}

}  // namespace

RelevanceScope::RelevanceScope(const RelevanceRules& rules)
    : reference_(Policy::reference), previous_(current_rules), rules_(rules) {
  current_rules = &rules_;
}

RelevanceScope::~RelevanceScope() { current_rules = previous_; }

const RelevanceRules* relevance_rules() { return current_rules; }

Tensor held(const Tensor& weights) { return current_rules != nullptr ? weights.detach() : weights; }

Tensor handed_on(const Tensor& x, const Tensor& y) {
  if (current_rules == nullptr) return y;
  return with_gradient_of(x, y);
}

// With p the products x w that agree with the sign of y, the shares are those of z = y + gamma (p + the bias where it
// agrees); the sum of all products that have one sign is half of x w + sign |x| |w|.
Tensor shared_out(const Tensor& y, const Tensor& bias, double gamma, const std::function<Tensor()>& magnitudes) {
  if (gamma == 0) return y;
  const Tensor sign = y.detach().sign();
  const Tensor products = bias.defined() ? y - bias : y;
  Tensor agreeing = (products + sign * magnitudes()) / 2;
  if (bias.defined()) agreeing = agreeing + bias * (sign * bias > 0);
  return with_gradient_of(y + gamma * agreeing, y);
}

}  // namespace nunchi::ops
