#include "explain/perturbation.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace nunchi::explain {
namespace {

// Where squares begin along a side.
std::vector<std::int64_t> places(std::int64_t side, std::int64_t window, std::int64_t stride) {
  std::vector<std::int64_t> begins = {0};
  while (begins.back() + window < side) begins.push_back(begins.back() + stride);
  return begins;
}

Tensor square(const Tensor& picture, std::int64_t row, std::int64_t column, std::int64_t window) {
  const auto height = picture.size(-2), width = picture.size(-1);
  return picture.slice(-2, row, std::min(row + window, height)).slice(-1, column, std::min(column + window, width));
}

// The probability of the class, or what it has before the other one.
Tensor probabilities(const Tensor& logits, const Target& target) { return score(at::softmax(logits, 1), target); }

// Cells kept at random, as a soft mask: enlarged by one cell, of which a random part is cut.
Tensor random_mask(nn::Grid image, const RiseOptions& o, at::Generator generator) {
  const nn::Grid cell = {(image[0] + o.cells - 1) / o.cells, (image[1] + o.cells - 1) / o.cells};
  const Tensor kept = (at::empty({1, 1, o.cells, o.cells}).uniform_(0, 1, generator) < o.kept).to(at::kFloat);
  const Tensor large =
      at::upsample_bilinear2d(kept, {(o.cells + 1) * cell[0], (o.cells + 1) * cell[1]}, /*align_corners=*/false)[0];
  const auto from = [&](std::size_t axis) {
    return at::empty({1}, at::kLong).random_(0, cell[axis], generator).item<std::int64_t>();
  };
  const auto top = from(0), left = from(1);
  return large.slice(1, top, top + image[0]).slice(2, left, left + image[1]);  // [1, h, w]
}

}  // namespace

Tensor occlusion(const Subject& subject, const Target& target, const OcclusionOptions& options, const Work& work) {
  const auto [height, width] = subject.anatomy().image;
  const auto window = options.window.value_or(std::max<std::int64_t>(std::min(height, width) / 7, 1));
  const auto stride = options.stride.value_or(std::max<std::int64_t>(window / 2, 1));
  ASSERT(window > 0 && stride > 0 && stride <= window, "squares leave no pixel between them");
  std::vector<nn::Grid> begins;
  for (const auto row : places(height, window, stride)) {
    for (const auto column : places(width, window, stride)) begins.push_back({row, column});
  }
  const auto hide = [&](std::int64_t begin, std::int64_t end) {
    Tensor hidden = subject.pixels().repeat({end - begin, 1, 1, 1});
    for (auto i = begin; i < end; ++i) {
      const auto [row, column] = begins[static_cast<std::size_t>(i)];
      square(hidden[i - begin], row, column, window).zero_();
    }
    return hidden;
  };
  const Tensor lost = score(subject.logits(), target) -
                      scores_of(subject, target, static_cast<std::int64_t>(begins.size()), work, hide);
  Tensor sum = at::zeros({height, width}), count = at::zeros({height, width});
  for (std::size_t i = 0; i < begins.size(); ++i) {
    square(sum, begins[i][0], begins[i][1], window) += lost[static_cast<std::int64_t>(i)];
    square(count, begins[i][0], begins[i][1], window) += 1;
  }
  return sum / count;
}

Tensor rise(const Subject& subject, const Target& target, const RiseOptions& options, const Work& work) {
  const auto image = subject.anatomy().image;
  auto generator = at::detail::createCPUGenerator(work.seed);
  Tensor sum = at::zeros({image[0], image[1]});
  in_batches(options.masks, work, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Tensor> masks;
    for (auto i = begin; i < end; ++i) masks.push_back(random_mask(image, options, generator));
    const Tensor stacked = at::stack(masks);  // [b, 1, h, w]
    const Tensor answers = probabilities(subject.logits(subject.pixels() * stacked), target);
    sum += (answers.view({-1, 1, 1}) * stacked.select(1, 0)).sum(0);
  });
  return sum / (static_cast<double>(options.masks) * options.kept);
}

}  // namespace nunchi::explain
