#include "nn/drop_path.h"

#include <ATen/ops/empty.h>

namespace nunchi::nn {

double DropPath::rate_of_block(double last, std::int64_t block, std::int64_t depth) {
  return depth > 1 ? last * static_cast<double>(block) / static_cast<double>(depth - 1) : 0;
}

std::optional<Tensor> DropPath::draw(const Tensor& x, bool training) const {
  if (!training || rate == 0) return std::nullopt;
  Shape shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  return at::empty(shape, x.options()).bernoulli_(1 - rate).div_(1 - rate);
}

Tensor DropPath::apply(const Tensor& branch, bool training) const {
  const auto kept = draw(branch, training);
  return kept ? branch * *kept : branch;
}

}  // namespace nunchi::nn
