#include "tasks/quantise.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/file.h"
#include "core/in_child.h"
#include "core/temporary_folder.h"
#include "ops/compare.h"
#include "tasks/bundled_models.h"
#include "tasks/cases.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

using testing::HasSubstr;

class Quantise : public testing::Test {
 protected:
  // 8 pictures of noise: what they show does not matter to the arithmetic.
  Quantised run(const std::string& model, double max_drop, const Score& score = mean_cosine) const {
    const ModelSource source{.path = case_model(model)};
    const auto shape = VisionModel(source).network().input_shape();
    return quantise(source, random({8, shape[0], shape[1], shape[2]}, 1), score, out(), {.max_drop = max_drop});
  }
  std::filesystem::path out() const { return folder_ / "int8"; }

 private:
  TemporaryFolder folder_;
};

TEST_F(Quantise, WritesAFolderThatLoadsAsInt8) {
  for (const std::string name : {"vit_classifier", "swinv2_classifier", "timm_vit", "dinov2", "resnet_bottleneck",
                                 "timm_resnet_d", "timm_resnext", "mobilenet_v2", "convnext"}) {
    SCOPED_TRACE(name);
    std::filesystem::remove_all(out());
    const auto done = run(name, 100);
    EXPECT_GT(done.layers.size(), 4u);
    EXPECT_LT(done.after.bytes, done.before.bytes);
    EXPECT_GT(done.after.cosine, 90);
    EXPECT_LT(done.after.cosine, 100);
    EXPECT_EQ(done.after.score, done.after.cosine);
    const VisionModel written({.path = out()});
    EXPECT_EQ(written.precision(), nn::Precision::int8);
    const VisionModel in_fp32({.path = out()}, nn::Precision::fp32);
    EXPECT_EQ(in_fp32.precision(), nn::Precision::fp32);
    EXPECT_EQ(read_json(out() / "quantization.json")["layers"].size(), done.layers.size());
  }
}

TEST_F(Quantise, WritesTheRangesOfWhatConvolutionsTake) {
  run("resnet_bottleneck", 100);
  const auto files = open_model_weights(out());
  const auto ends_with = [](const std::string& end) {
    return [end](const std::string& name) { return name.ends_with(end); };
  };
  const auto convolutions = std::ranges::count_if(files.names(), ends_with("convolution.weight"));
  EXPECT_GT(convolutions, 6);
  EXPECT_EQ(std::ranges::count_if(files.names(), ends_with("convolution.input_scale")), convolutions);
  EXPECT_EQ(std::ranges::count_if(files.names(), ends_with("convolution.input_zero_point")), convolutions);
  const auto groups = read_json(out() / "config.json")["quantization_config"]["config_groups"];
  EXPECT_EQ(groups["group_1"]["targets"][0], "Conv2d");
  EXPECT_EQ(groups["group_1"]["input_activations"]["dynamic"], false);
  VisionModel model({.path = out()});
  const c10::InferenceMode inference;
  const auto output =
      model.network().forward(random(model.network().input_shape(), 4).unsqueeze(0), {.hidden_states = true});
  for (const auto& state : output.hidden_states) EXPECT_TRUE(state.is_floating_point()) << "codes stay inside";
}

// The codes of the file are those of the model that was measured.
TEST_F(Quantise, MeasuresWhatItWrites) {
  std::vector<Tensor> seen;
  const auto done = run("vit_classifier", 100, [&](const Tensor& answers, const Tensor& exact) {
    seen.push_back(answers);
    return mean_cosine(answers, exact);
  });
  ASSERT_GE(seen.size(), 2u);
  EXPECT_TRUE(same(seen[seen.size() - 1], seen[seen.size() - 2])) << "the model in memory, and the folder read back";
  EXPECT_FALSE(same(seen.back(), seen.front()));
  EXPECT_EQ(done.drop(), done.before.score - done.after.score);
}

TEST_F(Quantise, KeepsTheMostSensitiveLayersInFloat) {
  const auto all = run("vit_classifier", 100);
  EXPECT_EQ(std::ranges::count(all.layers, true, &QuantisedLayer::in_float), 0);
  std::filesystem::remove_all(out());
  const double half = all.drop() / 2;
  const auto some = run("vit_classifier", half);
  EXPECT_LE(some.drop(), half);
  const auto in_float = std::ranges::count(some.layers, true, &QuantisedLayer::in_float);
  EXPECT_GT(in_float, 0);
  EXPECT_LT(in_float, std::ssize(some.layers));
  double least_in_float = 1, greatest_in_int8 = 0;
  for (const auto& layer : some.layers)
    (layer.in_float ? least_in_float : greatest_in_int8) =
        layer.in_float ? std::min(least_in_float, layer.error) : std::max(greatest_in_int8, layer.error);
  EXPECT_GE(least_in_float, greatest_in_int8);
  const auto ignored = read_json(out() / "config.json")["quantization_config"]["ignore"];
  EXPECT_GE(std::ssize(ignored), in_float);  // one layer of the model may be three of its publisher
  EXPECT_LT(all.after.bytes, some.after.bytes);
}

TEST_F(Quantise, LeavesNothingWhereTheDropCannotBeHeld) {
  const auto error = error_of([&] { run("vit_classifier", -1); });
  EXPECT_THAT(error, HasSubstr("--max-drop -1"));
  EXPECT_FALSE(std::filesystem::exists(out()));
  std::filesystem::create_directories(out());
  write_file(out() / "kept.txt", "mine");
  EXPECT_THAT(error_of([&] { run("vit_classifier", 100); }), HasSubstr(out().string()));
  EXPECT_EQ(read_file(out() / "kept.txt", 1 << 20), "mine");
}

TEST(WeightRange, ClipsWhatLiesBeyond) {
  Tensor weight = random({3, 40000}, 2);
  weight[1][7] = 8;  // one outside: to clip it costs less than coarser steps for all
  EXPECT_TRUE(same(clipped(weight, WeightRange::largest), weight));
  for (const auto range : {WeightRange::percentile, WeightRange::least_error}) {
    const Tensor clip = clipped(weight, range);
    EXPECT_EQ(clip.sizes(), weight.sizes());
    const Tensor limits = clip.abs().amax(1, true);
    EXPECT_TRUE(same(clip, at::minimum(at::maximum(weight, -limits), limits)));
    EXPECT_LT(limits[1].item<double>(), 7.9) << weight_range_name(range);
  }
  const Tensor limits = clipped(weight, WeightRange::percentile).abs().amax(1);
  EXPECT_NEAR((weight.abs() > limits.unsqueeze(1)).to(at::kFloat).mean().item<double>(), 0.001, 0.0005);
}

TEST(WeightRange, OfLeastErrorIsNoWorseThanTheOthers) {
  const Tensor weight = random({16, 300}, 3).pow(3);
  const auto error = [&](WeightRange range) {
    const Tensor clip = clipped(weight, range), step = clip.abs().amax(1, true) / 127;
    return ((clip / step).round() * step - weight).pow(2).sum().item<double>();
  };
  EXPECT_LE(error(WeightRange::least_error), error(WeightRange::largest) * 1.0001);
}

TEST(Scores, ArePoints) {
  const Tensor exact = at::eye(4), answers = exact.clone();
  EXPECT_EQ(agreement(answers, exact), 100);
  EXPECT_NEAR(mean_cosine(answers, exact), 100, 1e-9);
  answers[0][1] = 2;
  EXPECT_EQ(agreement(answers, exact), 75);
  EXPECT_LT(mean_cosine(answers, exact), 90);
}

}  // namespace
}  // namespace nunchi::tasks
