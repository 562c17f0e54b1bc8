#include "explain/work.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>

#include "core/interrupt.h"

namespace nunchi::explain {

void in_batches(std::int64_t count, const Work& work, const std::function<void(std::int64_t, std::int64_t)>& step) {
  ASSERT(work.batch > 0, "a batch holds a picture at least");
  for (std::int64_t begin = 0; begin < count; begin += work.batch) {
    throw_if_stopped();
    const auto end = std::min(begin + work.batch, count);
    step(begin, end);
    work.on_progress(end, count);
  }
}

Tensor scores_of(const Subject& subject, const Target& target, std::int64_t count, const Work& work,
                 const std::function<Tensor(std::int64_t, std::int64_t)>& make) {
  std::vector<Tensor> parts;
  in_batches(count, work, [&](std::int64_t begin, std::int64_t end) {
    parts.push_back(score(subject.logits(make(begin, end)), target));
  });
  return at::cat(parts);
}

Tensor over_picture(const Tensor& map, nn::Grid image) {
  const Tensor values = map.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  return at::upsample_bilinear2d(values, {image[0], image[1]}, /*align_corners=*/false)[0][0];
}

}  // namespace nunchi::explain
