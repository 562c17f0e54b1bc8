#include "train/validation.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>

#include "core/interrupt.h"
#include "metrics/classification.h"
#include "train/loss.h"
#include "weights/checkpoint.h"

namespace nunchi::train {
namespace {

constexpr int top_k = 5;

class Frozen {
 public:
  Frozen(nn::Module& model, bool on) : model_(model), on_(on) {
    model_.train(false);
    if (on_) weights::freeze(model_, nn::Precision::fp32);
  }
  ~Frozen() {
    if (on_) weights::thaw(model_);
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  nn::Module& model_;
  bool on_;
};

struct Counts {
  double loss = 0;
  std::int64_t hits = 0, top_hits = 0, pictures = 0, skipped = 0;

  void add(const Tensor& logits, const Tensor& labels) {
    const auto count = logits.size(0), classes = logits.size(1);
    loss += cross_entropy(logits, labels).item<double>() * static_cast<double>(count);
    const Tensor probabilities = at::softmax(logits, -1, at::kDouble).cpu(), truths = labels.cpu();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::span row(probabilities.const_data_ptr<double>() + i * classes, static_cast<std::size_t>(classes));
      const auto rank = metrics::rank_of(row, truths.const_data_ptr<std::int64_t>()[i]);
      hits += rank == 0 ? 1 : 0;
      top_hits += rank < top_k ? 1 : 0;
    }
    pictures += count;
  }
};

}  // namespace

BatchTensors as_tensors(data::Batch& batch, const std::array<std::int64_t, 3>& shape, at::Device device) {
  const auto count = static_cast<std::int64_t>(batch.size());
  const Tensor images = at::from_blob(batch.pixels.data(), {count, shape[0], shape[1], shape[2]}, at::kFloat);
  const Tensor labels = at::from_blob(batch.labels.data(), {count}, at::kLong);
  return {images.to(device), labels.to(device)};
}

std::optional<EpochResult::Validation> validate(const Network& network, data::Loader& loader, at::Device device,
                                                const std::function<void(const data::Failure&)>& on_failure) {
  auto& model = *network.model;
  const Frozen frozen(model, device.is_cpu());
  const c10::InferenceMode inference;
  Counts counts;
  loader.start(0);
  while (auto batch = loader.next()) {
    if (stop_requested()) return std::nullopt;
    for (const auto& failure : batch->failures) on_failure(failure);
    counts.skipped += static_cast<std::int64_t>(batch->failures.size());
    if (batch->size() == 0) continue;
    const auto [images, labels] = as_tensors(*batch, network.shape(), device);
    counts.add(model.forward(images).logits.to(at::kFloat), labels);
  }
  if (counts.pictures == 0) throw Error(ErrorKind::input, "validation: not one of its pictures could be read");
  return EpochResult::Validation{.loss = counts.loss / static_cast<double>(counts.pictures),
                                 .top1 = metrics::proportion(counts.hits, counts.pictures).value,
                                 .top5 = metrics::proportion(counts.top_hits, counts.pictures).value,
                                 .pictures = counts.pictures,
                                 .skipped = counts.skipped};
}

}  // namespace nunchi::train
