#include "models/by_pictures.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <mutex>

#include "core/one_thread.h"
#include "models/architectures.h"
#include "models/beit.h"
#include "nn/named.h"
#include "nn/watch.h"
#include "ops/compare.h"
#include "weights/checkpoint.h"

namespace nunchi::models {
namespace {

// Says which batches it is given.
struct Counting : Model {
  mutable std::mutex mutex;
  mutable std::vector<std::int64_t> batches;

  ModelOutput forward(const Tensor& image, const ForwardOptions&) const override {
    const std::lock_guard lock(mutex);
    if (image.max().item<double>() < 0) throw Error(ErrorKind::input, "the picture is too dark");
    batches.push_back(image.size(0));
    return {.logits = image.flatten(1).narrow(1, 0, 2), .further = {{"doubled", image * 2}}};
  }
  Shape input_shape() const override { return {3, 8, 8}; }
  std::int64_t classes() const override { return 2; }
  std::string map_layer() const override { return ""; }
};

class ByPictures : public testing::Test {
 protected:
  ~ByPictures() override { at::set_num_threads(before_); }

  c10::InferenceMode inference_;
  int before_ = at::get_num_threads();
};

TEST_F(ByPictures, EachThreadHasAsManyAndTheRestComesAfterThem) {
  at::set_num_threads(2);
  Counting model;
  const Tensor image = random({7, 3, 256, 256}, 1);
  const auto output = forward_by_pictures(model, image);
  EXPECT_THAT(model.batches, testing::ElementsAre(1, 1, 1, 1, 1, 1, 1));
  EXPECT_TRUE(same(output.logits, image.flatten(1).narrow(1, 0, 2)));
  EXPECT_TRUE(same(output.further.at("doubled"), image * 2));
  model.batches.clear();
  forward_by_pictures(model, random({41, 3, 64, 64}, 1));  // small ones in tens: sixteen would come out uneven
  EXPECT_THAT(model.batches, testing::ElementsAre(10, 10, 10, 10, 1));
}

TEST_F(ByPictures, StayTogetherWhereThereAreFewOrSomebodyLooksOn) {
  at::set_num_threads(3);
  Counting model;
  forward_by_pictures(model, random({2, 3, 256, 256}, 1));
  {
    const nn::Watch watch(model, [](const std::string&, const Tensor& y) { return y; });
    forward_by_pictures(model, random({6, 3, 256, 256}, 1));
  }
  EXPECT_THAT(model.batches, testing::ElementsAre(2, 6));
  EXPECT_FALSE(OneThread::is_demanded());
}

TEST_F(ByPictures, AnErrorComesFromWhicheverThread) {
  at::set_num_threads(2);
  Counting model;
  for (const auto picture : {0, 3, 4}) {
    const Tensor image = random({5, 3, 256, 256}, 1);
    image[picture].fill_(-1);
    EXPECT_THROW(forward_by_pictures(model, image), Error);
  }
}

std::unique_ptr<Model> small_beit() {
  BeitConfig config;
  config.image_size = {64, 64};
  config.dim = 32;
  config.depth = 2;
  config.heads = 2;
  config.mlp_dim = 64;
  config.shared_relative_bias = true;
  return std::make_unique<Beit>(config);
}

std::unique_ptr<Model> network(const std::string& name) {
  return name == "beit" ? small_beit() : build_named(name).model;
}

class NetworksByPictures : public testing::TestWithParam<const char*> {};

// From the first forward on: what a model keeps for a size of picture is then made by several threads.
TEST_P(NetworksByPictures, AnswerAsInOneGo) {
  const auto model = network(GetParam());
  nn::randomise(*model, 1);
  const auto input = model->input_shape();
  for (const auto precision : {nn::Precision::fp32, nn::Precision::bf16, nn::Precision::int8}) {
    weights::freeze(*model, precision);
    const c10::InferenceMode inference;
    for (const auto batch : {5, 2, 5}) {
      const Tensor image = random({batch, input[0], input[1], input[2]}, 2).to(nn::activation_dtype(precision));
      const ForwardOptions options{.hidden_states = batch == 2};
      const auto parts = forward_by_pictures(*model, image, options), whole = model->forward(image, options);
      ASSERT_EQ(parts.logits.defined(), whole.logits.defined());
      if (whole.logits.defined()) {
        EXPECT_TRUE(same(parts.logits, whole.logits));
      }
      EXPECT_TRUE(same(parts.last_hidden_state, whole.last_hidden_state));
      ASSERT_EQ(parts.hidden_states.size(), whole.hidden_states.size());
      for (std::size_t i = 0; i < whole.hidden_states.size(); ++i)
        EXPECT_TRUE(same(parts.hidden_states[i], whole.hidden_states[i]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, NetworksByPictures,
                         testing::Values("vit_tiny_patch16_224", "eva02_tiny_patch14_224", "beit",
                                         "swin_tiny_patch4_window7_224", "convnext_atto", "resnet18",
                                         "mobilenetv2_050"));

}  // namespace
}  // namespace nunchi::models
