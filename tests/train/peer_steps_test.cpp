// Ten training steps against PyTorch's, from weights and batches that both sides make by one formula
// (tools/check_training.py).
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "core/file.h"
#include "core/json.h"
#include "formats/weight_files.h"
#include "models/registry.h"
#include "ops/compare.h"
#include "ops/policy.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "weights/checkpoint.h"

namespace nunchi::train {
namespace {

constexpr double tolerance = 1e-5;

std::uint32_t name_hash(std::string_view name) {  // FNV-1a
  std::uint32_t value = 2166136261u;
  for (const char byte : name) value = (value ^ static_cast<unsigned char>(byte)) * 16777619u;
  return value;
}

// Numbers from -1 up to 1 that float holds exactly.
Tensor spread(const Shape& shape, const std::string& name) {
  Tensor values = at::empty(shape, at::kFloat);
  auto* data = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    std::uint32_t x = static_cast<std::uint32_t>(i) * 0x9E3779B9u + name_hash(name);
    for (const std::uint32_t factor : {0x7FEB352Du, 0x846CA68Bu}) x = (x ^ (x >> 16)) * factor;
    x ^= x >> 16;
    data[i] = static_cast<float>(x >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

Tensor initial_value(const nn::Module::Named& named) {
  const auto& [name, slot] = named;
  if (name.ends_with("num_batches_tracked")) return at::empty({}, at::kLong).zero_();
  const Tensor noise = spread(slot->shape, name);
  if (slot->shape.size() > 1) {
    const double fan_in = static_cast<double>(noise.numel()) / static_cast<double>(slot->shape[0]);
    return noise * static_cast<float>(std::sqrt(3 / fan_in));
  }
  if (name.ends_with("running_var") || name.ends_with("weight")) return 1 + noise / 8;
  return noise / 8;
}

const Json& golden() {
  static const Json all = Json::parse(read_file(NUNCHI_SOURCE_DIR "/tests/golden/training.json", 1 << 20));
  return all;
}

// One of the cases of the golden file, in training.
class Training {
 public:
  explicit Training(const std::string& name)
      : case_(golden()["cases"][name]),
        model_(
            models::build({.publisher = models::Publisher::timm, .name = case_["class"], .config = case_["arguments"]})
                .model) {
    for (const auto& named : model_->tensors()) *named.slot->tensor = initial_value(named);
    const Json& recipe = case_["recipe"];
    const OptimizerOptions options{.kind = optimizer_kind_from_name(recipe["kind"])};
    optimizer_ = make_optimizer(options, parameter_groups(*model_, {.weight_decay = recipe["weight_decay"]}));
    start_training(*model_);
  }

  double backward(std::int64_t step) {
    const std::int64_t b = case_["batch"], side = case_["side"];
    const Tensor images = 2 * spread({b, 3, side, side}, "batch " + std::to_string(step));
    Tensor labels = at::empty({b}, at::kLong);
    for (std::int64_t i = 0; i < b; ++i) labels[i].fill_((7 * i + 3 * step) % 10);
    optimizer_->clear_gradients();
    const Tensor loss = cross_entropy(model_->forward(images).logits, labels, golden()["label_smoothing"]);
    loss.backward();
    return loss.item<double>();
  }

  double update(std::int64_t step) {
    const ScheduleOptions schedule{
        .peak = case_["recipe"]["peak"], .warmup_steps = golden()["warmup"], .total_steps = golden()["steps"]};
    const double norm = clip_gradients(optimizer_->groups(), golden()["max_norm"]);
    optimizer_->step(learning_rate(schedule, step));
    return norm;
  }

  const Json& expected() const { return case_; }
  models::Model& model() { return *model_; }

 private:
  const Json& case_;
  std::unique_ptr<models::Model> model_;
  std::unique_ptr<Optimizer> optimizer_;
};

// norm, largest absolute value, first, middle and last value.
void expect_figures(const Tensor& found, const Json& expected, const std::string& name) {
  const Tensor flat = found.detach().to(at::kDouble).flatten();
  const double largest = expected[1];
  EXPECT_NEAR(flat.norm().item<double>(), expected[0].get<double>(), tolerance * expected[0].get<double>()) << name;
  const std::int64_t places[] = {0, flat.numel() / 2, flat.numel() - 1};
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(flat[places[i]].item<double>(), expected[2 + i].get<double>(), tolerance * largest) << name;
}

// With NUNCHI_TRAINING_PEER: every element of what tools/check_training.py --full wrote, under the names `kind`.NAME.
void expect_like_peer(models::Model& model, const std::string& which, const std::string& kind) {
  const char* folder = std::getenv("NUNCHI_TRAINING_PEER");
  if (folder == nullptr) return;
  const auto peer = formats::open_weights(std::string(folder) + "/" + which + ".safetensors");
  for (const auto& [name, slot] : model.tensors()) {
    const Tensor found = kind == "gradient" ? slot->tensor->grad() : *slot->tensor;
    if (!found.defined() || name.ends_with("num_batches_tracked")) continue;
    EXPECT_LT(difference(found, weights::tensor_of(peer, kind + "." + name)), tolerance) << kind << " " << name;
  }
}

class PeerSteps : public testing::TestWithParam<std::string> {};

TEST_P(PeerSteps, AreRepeated) {
  Training training(GetParam());
  const Json& expected = training.expected();
  ops::reset_path_counts();
  for (std::int64_t step = 0; step < 10; ++step) {
    const auto at = static_cast<std::size_t>(step);
    const double loss = expected["losses"][at], norm = expected["norms"][at];
    EXPECT_NEAR(training.backward(step), loss, tolerance * loss) << "step " << step;
    if (step == 0) {
      std::size_t gradients = 0;
      for (const auto& [name, slot] : training.model().tensors()) {
        if (!slot->trainable) continue;
        ASSERT_TRUE(expected["gradients"].contains(name)) << name;
        expect_figures(slot->tensor->grad(), expected["gradients"][name], name);
        ++gradients;
      }
      EXPECT_EQ(gradients, expected["gradients"].size());
      expect_like_peer(training.model(), GetParam(), "gradient");
    }
    EXPECT_NEAR(training.update(step), norm, 10 * tolerance * norm) << "step " << step;
  }
  if (GetParam() != "resnet") {  // whose one linear layer is too small
    EXPECT_GT(ops::path_counts().fused, 0);
  }
  for (const auto& [name, slot] : training.model().tensors()) {
    if (expected["buffers"].contains(name)) expect_figures(*slot->tensor, expected["buffers"][name], name);
    if (name.ends_with("num_batches_tracked")) {
      EXPECT_EQ(slot->tensor->item<std::int64_t>(), 10) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, PeerSteps, testing::Values("vit", "swin", "resnet"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace nunchi::train
