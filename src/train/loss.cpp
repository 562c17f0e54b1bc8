#include "train/loss.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <fmt/format.h>

namespace nunchi::train {
namespace {

void check_classes(const Tensor& labels, std::int64_t classes) {
  if (!labels.is_cpu() || labels.numel() == 0) return;  // on a GPU the question would wait for all that is under way
  const auto smallest = labels.min().item<std::int64_t>(), largest = labels.max().item<std::int64_t>();
  if (smallest >= 0 && largest < classes) return;
  throw Error(ErrorKind::input, fmt::format("labels: expected classes from 0 to {}, found {}", classes - 1,
                                            smallest < 0 ? smallest : largest));
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, double label_smoothing) {
  ASSERT(logits.dim() == 2 && targets.size(0) == logits.size(0), "logits [b, k], and a target for each");
  if (!targets.is_floating_point()) check_classes(targets, logits.size(1));
  const Tensor wide = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  return at::cross_entropy_loss(wide, targets, /*weight=*/{}, at::Reduction::Mean, /*ignore_index=*/-100,
                                label_smoothing);
}

}  // namespace nunchi::train
