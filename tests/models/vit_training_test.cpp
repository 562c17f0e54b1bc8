#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "models/vit.h"
#include "nn/initialise.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::models {
namespace {

VitConfig tiny() {
  return {.image_size = {16, 16}, .patch = {4, 4}, .dim = 32, .depth = 2, .heads = 2, .mlp_dim = 64, .classes = 10};
}

std::vector<Tensor> trainable(Model& model) {
  std::vector<Tensor> all;
  for (const auto& [name, slot] : model.tensors()) {
    if (slot->trainable) all.push_back(slot->tensor->requires_grad_());
  }
  return all;
}

// Adam (Kingma and Ba 2015) with its usual constants.
class Adam {
 public:
  Adam(std::vector<Tensor> parameters, double rate) : parameters_(std::move(parameters)), rate_(rate) {
    for (const Tensor& p : parameters_) moments_.emplace_back(at::zeros_like(p), at::zeros_like(p));
  }
  void step() {
    ++steps_;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      auto& [first, second] = moments_[i];
      const Tensor gradient = parameters_[i].grad();
      first.mul_(0.9).add_(gradient, 0.1);
      second.mul_(0.999).addcmul_(gradient, gradient, 0.001);
      const Tensor direction =
          first / (1 - std::pow(0.9, steps_)) / ((second / (1 - std::pow(0.999, steps_))).sqrt() + 1e-8);
      parameters_[i].detach().add_(direction, -rate_);
      parameters_[i].mutable_grad() = Tensor();
    }
  }

 private:
  std::vector<Tensor> parameters_;
  std::vector<std::pair<Tensor, Tensor>> moments_;
  double rate_;
  int steps_ = 0;
};

TEST(VitTraining, LearnsThirtyTwoRandomPicturesByHeart) {  // R013
  Vit vit(tiny());
  vit.initialise(nn::seeded(1));
  vit.train(true);
  const Tensor images = random({32, 3, 16, 16}, 1), labels = at::randint(10, {32}, nn::seeded(2), at::kLong);
  Adam optimiser(trainable(vit), 3e-3);
  double accuracy = 0;
  int steps = 0;
  for (; steps < 200 && accuracy < 1; ++steps) {
    const Tensor logits = vit.forward(images).logits;
    accuracy = (logits.argmax(1) == labels).to(at::kDouble).mean().item<double>();
    at::cross_entropy_loss(logits, labels).backward();
    optimiser.step();
  }
  EXPECT_EQ(accuracy, 1) << "after " << steps << " steps";
}

void expect_gradients_everywhere(VitConfig config, const std::string& what) {
  SCOPED_TRACE(what);
  config.dropout = config.attention_dropout = config.projection_dropout = config.embedding_dropout = 0.1;
  Vit vit(config);
  nn::randomise(vit, 1);
  const auto parameters = trainable(vit);
  vit.train(true);
  const auto output = vit.forward(random({4, 3, 16, 16}, 2));
  Tensor loss = output.logits.pow(2).mean();
  if (output.pooler_output.defined()) loss = loss + output.pooler_output.pow(2).mean();
  loss.backward();
  for (const auto& [name, slot] : vit.tensors()) {
    const Tensor gradient = slot->tensor->grad();
    ASSERT_TRUE(gradient.defined()) << name;
    EXPECT_TRUE(all_finite(gradient)) << name;
    EXPECT_GT(gradient.abs().max().item<double>(), 0) << name;
  }
}

TEST(VitTraining, ReachesEveryParameterWithDropout) {
  expect_gradients_everywhere(tiny(), "plain");
  VitConfig distilled = tiny();
  distilled.distillation = distilled.teacher_head = true;
  expect_gradients_everywhere(distilled, "distilled");
  VitConfig first_seed = tiny();
  first_seed.patch_norms = first_seed.norm_after_pooling = true;
  first_seed.qkv_bias = false;
  first_seed.positions = Positions::sinusoidal;
  expect_gradients_everywhere(first_seed, "first seed");
  VitConfig dino = tiny();
  dino.swiglu = dino.layer_scale = true;
  dino.pooler = Pooler::cls;
  dino.registers = 2;
  dino.pooling = Pooling::cls_and_mean;
  dino.image_size = {24, 20};  // so that the positions are resampled
  dino.interpolation.antialias = true;
  expect_gradients_everywhere(dino, "dino");
  VitConfig pooled = tiny();
  pooled.pooler = Pooler::dense;
  pooled.pooler_dim = 20;
  pooled.pooling = Pooling::mean;
  expect_gradients_everywhere(pooled, "pooler and mean");
  VitConfig siglip = tiny();
  siglip.class_token = false;
  siglip.pooling = Pooling::attention;
  siglip.norm_branches = siglip.norm_queries_and_keys = siglip.norm_before_blocks = true;
  expect_gradients_everywhere(siglip, "attention pooling and every norm");
  VitConfig aim = tiny();
  aim.norm_kind = nn::NormKind::rms;
  aim.norm_patches = true;
  aim.projection_bias = aim.qkv_bias = aim.patch_bias = false;
  aim.pooling = Pooling::mean_and_max;
  aim.pool_prefix = true;
  expect_gradients_everywhere(aim, "root mean square and no biases");
}

TEST(VitTraining, DropsOutOnlyWhileItTrains) {
  VitConfig config = tiny();
  config.embedding_dropout = config.dropout = 0.1;
  Vit vit(config);
  nn::randomise(vit, 1);
  const Tensor image = random({2, 3, 16, 16}, 2);
  EXPECT_TRUE(same(vit.forward(image).logits, vit.forward(image).logits));
  vit.train(true);
  EXPECT_GT(difference(vit.forward(image).logits, vit.forward(image).logits), 1e-3);
}

}  // namespace
}  // namespace nunchi::models
