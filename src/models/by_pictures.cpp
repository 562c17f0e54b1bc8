#include "models/by_pictures.h"

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <atomic>

#include "core/one_thread.h"
#include "core/round_up.h"

namespace nunchi::models {
namespace {

// Pictures that go through a network together, of `each` that a thread has: about as many as one of 256x256 pixels is
// worth, since very small products cost more than they need.
std::int64_t pictures_of_part(const Tensor& image, std::int64_t each) {
  const auto pixels = std::max<std::int64_t>(image.size(2) * image.size(3), 1);
  const auto most = std::clamp<std::int64_t>(256 * 256 / pixels, 1, each);
  return divided_up(each, divided_up(each, most));
}

// Of one and the same network, in the order of their pictures.
ModelOutput joined(std::vector<ModelOutput>& parts) {
  ModelOutput all = parts.front();
  std::vector<std::vector<Tensor*>> of_parts;
  for (auto& part : parts) of_parts.push_back(tensors_of(part));
  for (std::size_t i = 0; Tensor * whole : tensors_of(all)) {
    std::vector<Tensor> tensors;
    for (const auto& of_part : of_parts) tensors.push_back(*of_part[i]);
    if (whole->defined()) *whole = at::cat(tensors);
    ++i;
  }
  return all;
}

}  // namespace

ModelOutput forward_by_pictures(const Model& model, const Tensor& image, const ForwardOptions& options) {
  const std::int64_t batch = image.size(0), threads = at::get_num_threads(), each = batch / threads;
  const bool in_one_go = batch == 1 || each == 0 || at::in_parallel_region() || OneThread::is_demanded();
  if (in_one_go || !image.is_cpu()) return model.forward(image, options);
  const auto size = pictures_of_part(image, each), shared = each * threads;
  std::vector<ModelOutput> parts(static_cast<std::size_t>(divided_up(shared, size)));
  std::atomic<std::size_t> next = 0;
  const at::ThreadLocalState state;
  at::parallel_for(0, threads, 1, [&](std::int64_t, std::int64_t) {
    const at::ThreadLocalStateGuard guard(state);
    for (std::size_t i = 0; (i = next++) < parts.size();) {
      const auto first = static_cast<std::int64_t>(i) * size;
      parts[i] = model.forward(image.narrow(0, first, std::min(size, shared - first)), options);
    }
  });
  for (auto first = shared; first < batch; first += size)
    parts.push_back(model.forward(image.narrow(0, first, std::min(size, batch - first)), options));
  return joined(parts);
}

}  // namespace nunchi::models
