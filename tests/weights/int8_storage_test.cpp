#include "weights/int8_storage.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include <limits>

#include "core/in_child.h"
#include "core/temporary_folder.h"
#include "formats/safetensors.h"
#include "nn/linear.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "ops/linear_int8.h"
#include "weights/checkpoint.h"

namespace nunchi::weights {
namespace {

using testing::HasSubstr;

TEST(Int8Storage, IsWithinHalfAStepOfEveryWeight) {
  Tensor weight = random({7, 3, 5, 5}, 1);
  weight[2].zero_();
  const auto [codes, scales] = ops::int8_codes(weight);
  EXPECT_EQ(codes.scalar_type(), at::kChar);
  EXPECT_EQ(codes.sizes(), weight.sizes());
  EXPECT_EQ(scales.sizes(), (Shape{7, 1}));
  EXPECT_EQ(codes.abs().amax().item<int>(), 127);
  const Tensor steps = scales.view({7, 1, 1, 1});
  EXPECT_TRUE(((from_int8(codes, scales) - weight).abs() <= steps * 0.50001).all().item<bool>());
}

// What is read from a file in int8 and frozen to int8 has the file's codes.
TEST(Int8Storage, IsWhatFreezingMakes) {
  const Tensor stored = [&] {
    const auto [codes, scales] = ops::int8_codes(random({65, 40}, 2));
    return from_int8(codes, scales);
  }();
  EXPECT_TRUE(same(ops::dequantise_weight(ops::quantise_weight(stored, {})), stored));
}

TEST(Int8Storage, TakesAScaleForEachChannelOrOneForAll) {
  const Tensor codes = ops::int8_codes(random({4, 6}, 3)).codes;
  EXPECT_TRUE(same(from_int8(codes, at::full({4}, 0.5)), codes.to(at::kFloat) * 0.5));
  EXPECT_TRUE(same(from_int8(codes, at::full({1}, 0.25)), codes.to(at::kFloat) * 0.25));
  EXPECT_TRUE(same(from_int8(codes, at::full({4, 1}, 0.5, at::kBFloat16)), codes.to(at::kFloat) * 0.5));
}

struct Toy : nn::Module {
  Toy() : first(8, 12), second(12, 4) {
    child("first", first);
    child("second", second);
  }
  nn::Linear first, second;
};

// The publisher has the first layer in two parts.
const KeyTable table{.publisher = "somebody", .rules = {{"first.*", {"a.*", "b.*"}}}};

class Int8File : public testing::Test {
 protected:
  Int8File() {
    for (const auto& [name, slot] : toy_.tensors()) *slot->tensor = random(slot->shape, name.size());
  }
  std::filesystem::path file() const { return folder_ / "model.safetensors"; }
  Checkpoint checkpoint() const { return Checkpoint(formats::open_weights(file()), table); }
  void write_tensors(const std::map<std::string, Tensor>& tensors) const {
    std::vector<formats::TensorView> views;
    for (const auto& [name, tensor] : tensors) views.push_back(view_of(name, tensor));
    formats::write_safetensors(file(), views);
  }

  Toy toy_;

 private:
  TemporaryFolder folder_;
};

TEST_F(Int8File, IsReadBackAsItWasWritten) {
  nn::slot_named(toy_, "second.weight").in_float = true;
  write_checkpoint(file(), toy_, table, "", {.int8 = true});
  const auto files = formats::open_weights(file());
  EXPECT_EQ(files.find("a.weight")->dtype, formats::Dtype::i8);
  EXPECT_EQ(files.find("b.weight")->dtype, formats::Dtype::i8);
  EXPECT_EQ(files.find("second.weight")->dtype, formats::Dtype::f32);
  EXPECT_EQ(files.find("b.weight_scale")->shape, (Shape{6, 1}));
  EXPECT_EQ(files.names().size(), 8u);

  const auto found = checkpoint();
  EXPECT_TRUE(found.has_int8());
  Toy read;
  found.load(read);
  const auto [codes, scales] = ops::int8_codes(toy_.first.weights.weight);
  EXPECT_TRUE(same(read.first.weights.weight, from_int8(codes, scales)));
  EXPECT_TRUE(same(read.second.weights.weight, toy_.second.weights.weight));
}

TEST_F(Int8File, HasTheScaleOfTheInputWhereItIsKnown) {
  const KeyTable plain{.publisher = "somebody"};
  nn::slot_named(toy_, "second.weight").input = ops::CodeScale{.scale = 0.25, .zero = 3};
  write_checkpoint(file(), toy_, plain, "", {.int8 = true});
  const auto read = [&] {
    Toy toy;
    Checkpoint(formats::open_weights(file()), plain).load(toy);
    return nn::slot_named(toy, "second.weight").input;
  };
  EXPECT_EQ(read()->scale, 0.25);
  EXPECT_EQ(read()->zero, 3);
  std::map<std::string, Tensor> tensors;
  const auto files = formats::open_weights(file());
  for (const auto& name : files.names()) tensors[name] = tensor_of(files, name).clone();
  EXPECT_EQ(tensors.at("second.input_zero_point").item<int>(), 3 - 128);
  EXPECT_FALSE(tensors.contains("first.input_scale"));
  const auto with = [&](const std::string& name, const Tensor& tensor) {
    auto all = tensors;
    all[name] = tensor;
    write_tensors(all);
    return error_of(read);
  };
  EXPECT_EQ(with("second.input_scale", at::full({}, 0.5, at::kBFloat16)), "");
  for (const double wrong : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_THAT(with("second.input_scale", at::full({1}, wrong)), HasSubstr("expected a scale above zero"));
  EXPECT_THAT(with("second.input_zero_point", at::full({1}, 300, at::kInt)), HasSubstr("from -128 to 127"));
  EXPECT_THAT(with("second.input_scale", at::ones({12})), HasSubstr("expected one number, found shape [12]"));
}

TEST_F(Int8File, FreezesWhatItStoresInInt8AndNothingElse) {
  nn::slot_named(toy_, "second.weight").in_float = true;
  write_checkpoint(file(), toy_, table, "", {.int8 = true});
  const auto found = checkpoint();
  Toy read;
  found.load(read);
  for (int i = 0; i < 2; ++i) {
    freeze(read, nn::Precision::int8, &found);
    EXPECT_TRUE(read.first.weights.packed->is_int8());
    EXPECT_FALSE(read.second.weights.packed->is_int8());
    freeze(read, nn::Precision::fp32, &found);
    EXPECT_FALSE(read.first.weights.packed->is_int8());
  }
  thaw(read, &found);
  EXPECT_TRUE(same(read.second.weights.weight, toy_.second.weights.weight));
}

TEST_F(Int8File, WithoutInt8FreezesEveryLayer) {
  write_checkpoint(file(), toy_, table, "");
  const auto found = checkpoint();
  EXPECT_FALSE(found.has_int8());
  Toy read;
  found.load(read);
  freeze(read, nn::Precision::int8, &found);
  EXPECT_TRUE(read.first.weights.packed->is_int8() && read.second.weights.packed->is_int8());
}

TEST_F(Int8File, IsUnrolledWhereALayerFreezes) {
  write_checkpoint(file(), toy_, table, "", {.int8 = true});
  const auto found = checkpoint();
  Toy at_once, layer_by_layer;
  found.load(at_once);
  found.load_to_freeze(layer_by_layer);
  EXPECT_FALSE(layer_by_layer.first.weights.weight.defined());
  EXPECT_TRUE(layer_by_layer.first.weights.bias.defined());
  for (const auto precision : {nn::Precision::int8, nn::Precision::fp32, nn::Precision::int8}) {
    freeze(at_once, precision, &found);
    freeze(layer_by_layer, precision, &found);
    EXPECT_FALSE(layer_by_layer.first.weights.weight.defined());
    EXPECT_TRUE(same(layer_by_layer.first.weights.packed->blocks, at_once.first.weights.packed->blocks));
    EXPECT_TRUE(same(layer_by_layer.second.weights.packed->blocks, at_once.second.weights.packed->blocks));
  }
  thaw(at_once, &found);
  thaw(layer_by_layer, &found);
  EXPECT_TRUE(same(layer_by_layer.first.weights.weight, at_once.first.weights.weight));
}

TEST_F(Int8File, WithoutItsScalesIsRefused) {
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, slot] : toy_.tensors()) tensors[name] = *slot->tensor;
  const KeyTable plain{.publisher = "somebody"};
  const auto error = [&](const std::optional<Tensor>& scales) {
    auto all = tensors;
    all["first.weight"] = ops::int8_codes(tensors["first.weight"]).codes;
    if (scales) all["first.weight_scale"] = *scales;
    write_tensors(all);
    Toy read;
    return error_of([&] { Checkpoint(formats::open_weights(file()), plain).load(read); });
  };
  EXPECT_THAT(error({}), HasSubstr("\"first.weight\": expected its scales beside the int8 codes"));
  EXPECT_THAT(error({}), HasSubstr(file().string()));
  EXPECT_THAT(error(at::ones({5, 1})), HasSubstr("expected a scale for each of 12 channels, found shape [5, 1]"));
  EXPECT_EQ(error(at::ones({12, 1})), "");
}

Json config_with(const std::string& path, const Json& value) {
  Json config = {{"model_type", "vit"}, {"quantization_config", int8_config({"classifier"})}};
  config["quantization_config"][Json::json_pointer(path)] = value;
  return config;
}

TEST(QuantisationConfig, IsReadWhereItIsWhatWeWrite) {
  EXPECT_EQ(error_of([] { check_quantisation({{"model_type", "vit"}}); }), "");
  EXPECT_EQ(error_of([] { check_quantisation(config_with("/ignore", Json::array())); }), "");
  EXPECT_EQ(error_of([] { check_quantisation(config_with("/config_groups/group_0/weights/strategy", "tensor")); }), "");
}

TEST(QuantisationConfig, IsRefusedWhereItIsAnother) {
  const auto error = [](const std::string& path, const Json& value) {
    return error_of([&] { check_quantisation(config_with(path, value)); });
  };
  EXPECT_THAT(error("/quant_method", "bitsandbytes"),
              HasSubstr("expected \"compressed-tensors\", found \"bitsandbytes\""));
  EXPECT_THAT(error("/format", "pack-quantized"), HasSubstr("quantization_config.format"));
  const std::string weights = "/config_groups/group_0/weights";
  EXPECT_THAT(error(weights + "/num_bits", 4), HasSubstr("num_bits: expected 8, found 4"));
  EXPECT_THAT(error(weights + "/type", "float"), HasSubstr("type"));
  EXPECT_THAT(error(weights + "/symmetric", false), HasSubstr("symmetric"));
  EXPECT_THAT(error(weights + "/strategy", "group"), HasSubstr("strategy"));
  EXPECT_THAT(error(weights, nullptr), HasSubstr("expected an object"));
  EXPECT_THAT(error("", 3), HasSubstr("expected an object, found 3"));
}

}  // namespace
}  // namespace nunchi::weights
