#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>

#include "core/in_child.h"
#include "image/decode.h"
#include "tasks/cases.h"
#include "tasks/classify.h"
#include "tasks/embed.h"
#include "tasks/info.h"
#include "tasks/picture_loader.h"

namespace nunchi::tasks {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const VisionModel& vit() {
  static const VisionModel model({.path = case_model("vit_classifier")});
  return model;
}

std::vector<std::int64_t> ids_of(const std::vector<Prediction>& answers) {
  std::vector<std::int64_t> ids;
  for (const auto& answer : answers) ids.push_back(answer.id);
  return ids;
}

// --- classify

TEST(TopPredictions, AreSortedAndSumToOne) {
  const Tensor logits = at::tensor({0.0f, 3.0f, 1.0f, -2.0f, 2.0f, 2.5f, -1.0f}).reshape({1, 7});
  const auto answers = top_predictions(vit(), logits, 7).front();
  EXPECT_THAT(ids_of(answers), ElementsAre(1, 5, 4, 2, 0, 6, 3));
  float sum = 0;
  for (const auto& answer : answers) sum += answer.probability;
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_EQ(answers[0].label, "dog");
  EXPECT_EQ(answers[1].label, "눈치");
}

TEST(TopPredictions, EqualOnesKeepTheOrderOfTheirIds) {
  const Tensor logits = at::tensor({1.0f, 4.0f, 1.0f, 4.0f, 1.0f, 1.0f, 4.0f}).reshape({1, 7});
  for (int count = 1; count <= 7; ++count) {
    const std::vector<std::int64_t> all = {1, 3, 6, 0, 2, 4, 5};
    EXPECT_EQ(ids_of(top_predictions(vit(), logits, count).front()), std::vector(all.begin(), all.begin() + count));
  }
}

TEST(TopPredictions, OfManyRowsAndOfMoreThanThereAre) {
  const Tensor logits = at::randn({5, 7});
  const auto answers = top_predictions(vit(), logits, 1000);
  ASSERT_EQ(answers.size(), 5u);
  for (std::int64_t b = 0; b < 5; ++b) {
    EXPECT_EQ(answers[static_cast<std::size_t>(b)].size(), 7u);
    EXPECT_EQ(answers[static_cast<std::size_t>(b)].front().id, logits[b].argmax().item<std::int64_t>());
  }
}

TEST(TopPredictions, WhatIsNotANumberIsAnErrorAndNoAnswer) {
  const Tensor logits = at::full({1, 7}, NAN);
  EXPECT_THAT(error_of([&] { top_predictions(vit(), logits, 1); }), HasSubstr("not a number"));
}

TEST(Labels, AreThoseOfTheConfigOrNumbered) {
  EXPECT_EQ(vit().label(2), "owl, bird of night");
  EXPECT_EQ(VisionModel({.path = case_model("vit_quick_gelu")}).label(1), "LABEL_1");
  const TemporaryFolder folder;
  const auto model = copy_case("vit_classifier", folder) / "model";
  change_json(model / "config.json", [](Json& config) { config["id2label"]["3"] = 17; });  // not a name
  EXPECT_EQ(VisionModel({.path = model}).label(3), "LABEL_3");
}

TEST(RequireClassifier, RefusesABackbone) {
  EXPECT_EQ(error_of([] { require_classifier(vit()); }), "");
  const VisionModel backbone({.path = case_model("vit_pooler")});
  EXPECT_THAT(error_of([&] { require_classifier(backbone); }), AllOf(HasSubstr("no classifier"), HasSubstr("embed")));
}

TEST(Precision, OnlyThoseThatExist) {
  EXPECT_EQ(precision_from_name("bf16"), nn::Precision::bf16);
  EXPECT_EQ(precision_from_name("int8"), nn::Precision::int8);
  EXPECT_THAT(error_of([] { precision_from_name("fp64"); }),
              AllOf(HasSubstr("fp64"), HasSubstr("fp32, bf16 and int8")));
}

// --- embed

models::ModelOutput tokens(std::int64_t prefix, std::int64_t rows, std::int64_t columns) {
  models::ModelOutput output;
  output.last_hidden_state = at::randn({2, prefix + rows * columns, 3});
  output.prefix_tokens = prefix;
  output.grid = {rows, columns};
  return output;
}

TEST(Embeddings, TheClassTokenIsTheFirst) {
  const auto output = tokens(5, 2, 3);
  EXPECT_TRUE(embeddings(output, EmbeddingKind::cls).equal(output.last_hidden_state.select(1, 0)));
}

TEST(Embeddings, WithoutAClassTokenTheClassifiersInputTakesItsPlace) {
  auto output = tokens(3, 2, 3);
  output.registers = 3;
  EXPECT_TRUE(embeddings(output, EmbeddingKind::cls).equal(embeddings(output, EmbeddingKind::mean)));
  output.pooler_output = at::randn({2, 3});
  EXPECT_TRUE(embeddings(output, EmbeddingKind::cls).equal(output.pooler_output));
}

TEST(Embeddings, ThePooledVectorIsThePoolersOutput) {
  auto output = tokens(1, 2, 3);
  EXPECT_THAT(error_of([&] { embeddings(output, EmbeddingKind::pooled); }),
              AllOf(HasSubstr("--pool"), HasSubstr("mean")));
  output.pooler_output = at::randn({2, 7});
  EXPECT_TRUE(embeddings(output, EmbeddingKind::pooled).equal(output.pooler_output));
}

TEST(Embeddings, TheRegistersFollowTheOtherTokens) {
  auto output = tokens(5, 2, 3);
  EXPECT_THAT(error_of([&] { embeddings(output, EmbeddingKind::registers); }), HasSubstr("no register tokens"));
  output.registers = 4;
  EXPECT_TRUE(embeddings(output, EmbeddingKind::registers).equal(output.last_hidden_state.slice(1, 1, 5)));
}

TEST(Embeddings, TheMeanLeavesThePrefixOut) {
  auto output = tokens(5, 2, 3);
  const Tensor mean = output.last_hidden_state.slice(1, 5).mean(1);
  EXPECT_TRUE(embeddings(output, EmbeddingKind::mean).allclose(mean, 1e-6, 1e-6));
  output.last_hidden_state.slice(1, 0, 5).fill_(1e9);
  EXPECT_TRUE(embeddings(output, EmbeddingKind::mean).allclose(mean, 1e-6, 1e-6));
}

TEST(Embeddings, TheGridHasRowsAndColumns) {
  const auto output = tokens(1, 2, 3);
  const Tensor grid = embeddings(output, EmbeddingKind::grid);
  EXPECT_THAT(grid.sizes(), ElementsAre(2, 2, 3, 3));
  EXPECT_TRUE(grid[1][1][2].equal(output.last_hidden_state[1][1 + 1 * 3 + 2]));
}

TEST(Embeddings, OfAFeatureMap) {
  models::ModelOutput output;
  output.last_hidden_state = at::randn({2, 5, 3, 4});  // [b, c, h, w]
  EXPECT_TRUE(embeddings(output, EmbeddingKind::cls).allclose(output.last_hidden_state.mean({2, 3}), 1e-6, 1e-6));
  EXPECT_TRUE(embeddings(output, EmbeddingKind::mean).allclose(output.last_hidden_state.mean({2, 3}), 1e-6, 1e-6));
  EXPECT_TRUE(embeddings(output, EmbeddingKind::grid).equal(output.last_hidden_state.permute({0, 2, 3, 1})));
}

TEST(Embeddings, WhatIsNotFiniteIsAnErrorAndNoVector) {
  auto output = tokens(1, 2, 3);
  output.last_hidden_state[1][3][2] = INFINITY;
  EXPECT_THAT(error_of([&] { embeddings(output, EmbeddingKind::cls); }), HasSubstr("not a number"));
}

TEST(Embeddings, TheKindHasAName) {
  EXPECT_EQ(embedding_kind_from_name("grid"), EmbeddingKind::grid);
  EXPECT_THAT(error_of([] { embedding_kind_from_name("max"); }),
              AllOf(HasSubstr("max"), HasSubstr("cls, mean, pooled, grid and registers")));
}

TEST(CosineMatrix, OfKnownRows) {
  const Tensor rows = at::tensor({3.0f, 0.0f, 0.0f, 0.5f, -2.0f, 0.0f, 5.0f, 5.0f}).reshape({4, 2});
  const float half = std::sqrt(0.5f);
  const Tensor expected =
      at::tensor({1.0f, 0.0f, -1.0f, half, 0.0f, 1.0f, 0.0f, half, -1.0f, 0.0f, 1.0f, -half, half, half, -half, 1.0f});
  EXPECT_TRUE(cosine_matrix(rows).allclose(expected.reshape({4, 4}), 0, 1e-6));
}

TEST(CosineMatrix, ARowOfZerosIsLikeNothing) {
  const Tensor rows = at::tensor({1.0f, 2.0f, 0.0f, 0.0f}).reshape({2, 2});
  EXPECT_TRUE(cosine_matrix(rows).allclose(at::tensor({1.0f, 0.0f, 0.0f, 0.0f}).reshape({2, 2}), 0, 1e-6));
}

// --- info

TEST(DescribeModel, ReadsNoWeights) {
  const auto info = describe_model({.path = case_model("vit_classifier")});
  EXPECT_EQ(info.type, "vit");
  EXPECT_EQ(info.arch_class, "ViTForImageClassification");
  EXPECT_EQ(info.classes, 7);
  EXPECT_THAT(info.input_shape, ElementsAre(3, 48, 48));
  EXPECT_EQ(info.parameters, vit().parameters());
  EXPECT_EQ(info.weight_bytes, static_cast<std::uint64_t>(4 * info.parameters));
  EXPECT_EQ(info.weight_dtypes, "F32");
  EXPECT_EQ(info.tensors, 56u);
  EXPECT_GT(info.macs, 0);
  EXPECT_THAT(info.transform, HasSubstr("48"));
}

TEST(DescribeModel, CountsShards) { EXPECT_GT(describe_model({.path = case_model("vit_sharded")}).files, 1u); }

// --- where a failure lies

TEST(Errors, OfAModelNameItsFolder) {
  const TemporaryFolder folder;
  const auto model = copy_case("vit_classifier", folder) / "model";
  const auto error = [&] {
    const auto loaded = error_of([&] { VisionModel({.path = model}); });
    EXPECT_EQ(error_of([&] { describe_model({.path = model}); }), loaded);
    return loaded;
  };
  change_json(model / "config.json", [](Json& config) { config["model_type"] = "cvt"; });
  EXPECT_THAT(error(), AllOf(HasSubstr(model.string()), HasSubstr("cvt"), HasSubstr("not supported yet"),
                             HasSubstr("mobilenet_v2")));
  change_json(model / "config.json", [](Json& config) { config.erase("model_type"); });
  EXPECT_THAT(error(), AllOf(HasSubstr(model.string()), HasSubstr("model_type")));
  change_json(model / "config.json",
              [](Json& config) { config["model_type"] = "vit", config["hidden_size"] = "large"; });
  EXPECT_THAT(error(), AllOf(HasSubstr(model.string()), HasSubstr("hidden_size"), HasSubstr("large")));
}

// --- a real checkpoint on real photos

struct Photo {
  const char* file;
  const char* label;
  double probability;
};

TEST(RealData, MobileNetV2NamesPhotosAsTransformersDoes) {
  SKIP_WITHOUT_SHARED("mobilenet-v2-imagenet/hf");
  SKIP_WITHOUT_SHARED("photos");
  const std::vector<Photo> photos = {{"cat.bmp", "Egyptian cat", 0.947},
                                     {"bird.bmp", "chickadee", 0.998},
                                     {"parrot.jpg", "macaw", 0.997},
                                     {"hot_dog.jpg", "hotdog", 0.980},
                                     {"sunflower.bmp", "daisy", 0.990},
                                     {"dragonfly.bmp", "dragonfly", 0.948},
                                     {"dog_segmentation.bmp", "Samoyed", 0.972},
                                     {"squat.bmp", "dumbbell", 0.929}};
  std::vector<std::filesystem::path> paths;
  for (const auto& photo : photos) paths.push_back(shared_data("photos") / photo.file);

  const VisionModel model({.path = shared_data("mobilenet-v2-imagenet/hf")});
  PictureLoader loader(paths, model.transform(), {.batch = 3, .threads = 2, .decode = {}});
  std::size_t done = 0;
  while (const auto batch = loader.next()) {
    ASSERT_TRUE(batch->failures.empty());
    for (const auto& answers : top_predictions(model, model.forward(batch->pixels).logits, 1)) {
      const auto& photo = photos[done++];
      EXPECT_THAT(answers.front().label, HasSubstr(photo.label)) << photo.file;
      EXPECT_NEAR(answers.front().probability, photo.probability, 1e-3) << photo.file;
    }
  }
  EXPECT_EQ(done, photos.size());
}

}  // namespace
}  // namespace nunchi::tasks
