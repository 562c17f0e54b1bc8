#include "models/vit_publishers.h"

#include <fnmatch.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "models/architectures.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::models {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::filesystem::path root = NUNCHI_SOURCE_DIR;

const Json& peer_counts() {
  static const Json all = read_json(root / "tests/golden/architectures.json");
  return all;
}

Source timm(const Json& arguments, const std::string& name = "VisionTransformer") {
  return {.publisher = Publisher::timm, .name = name, .config = arguments};
}

VitConfig config_of(const Source& source) { return dynamic_cast<const Vit&>(*build(source).model).config(); }

// --- every name that timm, torchvision and the authors have

struct Refused {
  const char *names, *argument;
};
constexpr Refused refused[] = {
    {"vitamin_*", "embed_layer"},                     // stem of inverted bottlenecks
    {"vit_base_mci_224", "embed_layer"},              // stem of convolutions
    {"vit_*_r[0-9]*_s*", "embed_layer"},              // hybrids of a ResNet and a ViT
    {"vit_*_resnet*", "embed_layer"},                 //
    {"vit_*_18x2_224", "block_fn"},                   // two blocks side by side
    {"vit_*_xp_224", "block_fn"},                     // attention beside the MLP
    {"vit_*pwee_*", "block_fn"},                      //
    {"vit_base_patch16_rpn_224", "block_fn"},         // norms after the branches
    {"vit_dwee_patch16_reg1_gap_256", "attn_layer"},  // differential attention
    {"vit_dlittle_patch16_reg1_gap_256", "attn_layer"},
};

const Refused* find_refused(const std::string& name) {
  const auto* found = std::ranges::find_if(
      refused, [&](const Refused& row) { return fnmatch(row.names, name.c_str(), FNM_NOESCAPE) == 0; });
  return found == std::end(refused) ? nullptr : found;
}

TEST(VitArchitectures, HaveTheParametersOfTimm) {  // R017
  const Json table = read_json(root / "assets/models/timm.json");
  int built = 0, left_out = 0;
  for (const auto& [name, row] : table["architectures"].items()) {
    if (!row["class"].get<std::string>().starts_with("VisionTransformer")) continue;
    SCOPED_TRACE(name);
    if (const auto* reason = find_refused(name)) {
      ++left_out;
      EXPECT_THAT(error_of([&, &name = name] { build_named("timm/" + name); }), HasSubstr(reason->argument));
      continue;
    }
    ++built;
    EXPECT_EQ(build_named("timm/" + name).model->parameter_count(), peer_counts()["timm"][name].get<std::int64_t>());
  }
  EXPECT_EQ(built, 171);
  EXPECT_EQ(left_out, 35);
}

TEST(VitArchitectures, HaveTheParametersOfTorchvision) {  // R017
  for (const std::string name : {"vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"})
    EXPECT_EQ(build_named(name).model->parameter_count(), peer_counts()["torchvision"][name].get<std::int64_t>())
        << name;
}

TEST(VitArchitectures, HaveTheParametersOfTheirAuthors) {
  // transformers' counts of the same networks, less the mask token of DINOv2.
  const std::pair<const char*, std::int64_t> counts[] = {
      {"dino_vits16", 21'665'664},           {"dino_vitb16", 85'798'656},
      {"dinov2_vits14", 22'056'576 - 384},   {"dinov2_vitb14", 86'580'480 - 768},
      {"dinov2_vitl14", 304'368'640 - 1024}, {"dinov2_vitg14", 1'136'480'768 - 1536}};
  for (const auto& [name, count] : counts) EXPECT_EQ(build_named(name).model->parameter_count(), count) << name;
  EXPECT_EQ(build_named("dinov2_vits14_reg").model->parameter_count(), 22'056'576 - 384 + 4 * 384);
}

TEST(VitArchitectures, TheGiantIsNameable) {  // R018
  const auto built = build_named("vit_giant_patch14_dinov2");
  EXPECT_EQ(built.model->input_shape(), (Shape{3, 518, 518}));
  EXPECT_EQ(built.model->parameter_count(), 1'136'480'768 - 1536);
}

// --- timm's arguments

TEST(TimmVit, RefusesByNameWhatItDoesNotHave) {
  const std::pair<const char*, const char*> refusals[] = {
      {R"({"embed_layer": {"class": "HybridEmbed"}})", "embed_layer"},
      {R"({"block_fn": "ParallelScalingBlock"})", "block_fn"},
      {R"({"attn_layer": "diff"})", "attn_layer"},
      {R"({"mlp_layer": "GeGluMlp"})", "mlp_layer"},
      {R"({"mlp_layer": "GluMlp", "act_layer": "silu"})", "mlp_layer"},  // the gate comes last
      {R"({"mlp_layer": "SwiGLU"})", "act_layer"},                       // with the default, GELU
      {R"({"norm_layer": "batchnorm2d"})", "norm_layer"},
      {R"({"norm_layer": {"class": "LayerNorm", "affine": false}})", "norm_layer"},
      {R"({"embed_norm_layer": "rmsnorm"})", "embed_norm_layer"},
      {R"({"act_layer": {"class": "LeakyReLU", "negative_slope": 0.2}})", "act_layer"},
      {R"({"act_layer": "prelu"})", "prelu"},
      {R"({"global_pool": "prr"})", "global_pool"},
      {R"({"class_token": false})", "global_pool"},
      {R"({"pos_embed": "sincos"})", "pos_embed"},
      {R"({"scale_attn_norm": true})", "scale_mlp_norm"},
      {R"({"attention_sinks": 3})", "attention_sinks"},
      {R"({"patch_size": [16, 16, 16]})", "patch_size"},
  };
  for (const auto& [arguments, named] : refusals)
    EXPECT_THAT(error_of([&, &text = arguments] { build(timm(Json::parse(text))); }), HasSubstr(named)) << arguments;
  EXPECT_THAT(error_of([] {
                build(timm({{"reg_tokens", 2}}, "VisionTransformerDistilled"));
              }),
              HasSubstr("reg_tokens"));
}

TEST(TimmVit, RefusesAbsurdSizes) {
  for (const char* arguments :
       {R"({"embed_dim": 0})", R"({"embed_dim": 9000000000000000000})", R"({"depth": 1000000})", R"({"num_heads": 0})",
        R"({"mlp_ratio": 1e300})", R"({"mlp_ratio": -4})", R"({"reg_tokens": -1})", R"({"num_classes": -1})",
        R"({"patch_size": 0})", R"({"patch_size": 4000000000})", R"({"img_size": 8})", R"({"img_size": -224})",
        R"({"in_chans": 0})"}) {
    EXPECT_NE(error_of([&] { build(timm(Json::parse(arguments))); }), "") << arguments;
  }
}

TEST(TimmVit, LetsArgumentsOfTrainingPass) {
  const Json arguments = {{"drop_path_rate", 0.1}, {"weight_init", "skip"}, {"embed_dim", 192}, {"num_heads", 3}};
  EXPECT_EQ(config_of(timm(arguments)).dim, 192);
}

// --- a bare state dict: the name says the structure, the tensors the sizes

std::map<std::string, Shape> shapes_of(const Source& source) {
  auto built = build(source);
  std::map<std::string, Shape> shapes;
  for (const auto& [name, slot] : built.model->tensors()) {
    const auto theirs = built.keys.their_names(name, "");
    Shape shape = slot->shape;
    shape[0] /= static_cast<std::int64_t>(theirs.size());
    for (const auto& part : theirs) shapes[part] = shape;
  }
  return shapes;
}

// What the reader makes of a state dict of `small` under the name of the full-size `named`.
VitConfig read_sizes(const Source& small, const Source& named) {
  Source source = named;
  source.shapes = shapes_of(small);
  source.sizes_from_shapes = true;
  return config_of(source);
}

TEST(BareStateDict, SaysTheSizesOfATimmModel) {
  const Json small = {{"img_size", 96}, {"patch_size", 8},  {"embed_dim", 128}, {"depth", 3},      {"num_heads", 2},
                      {"mlp_ratio", 3}, {"num_classes", 7}, {"in_chans", 1},    {"reg_tokens", 2}, {"init_values", 1}};
  const auto vit = read_sizes(timm(small), timm({{"reg_tokens", 4}, {"init_values", 1}}));
  EXPECT_EQ(vit.image_size, (std::array<std::int64_t, 2>{96, 96}));
  EXPECT_EQ(vit.patch, (std::array<std::int64_t, 2>{8, 8}));
  EXPECT_THAT((std::vector{vit.dim, vit.depth, vit.heads, vit.mlp_dim, vit.classes, vit.channels, vit.registers}),
              ElementsAre(128, 3, 2, 384, 7, 1, 2));
}

TEST(BareStateDict, SaysTheSizesOfAGatedModel) {
  Json small = {{"embed_dim", 128}, {"num_heads", 2}, {"depth", 2}, {"act_layer", "silu"}, {"mlp_layer", "SwiGLU"}};
  Json named = {{"act_layer", "silu"}, {"mlp_layer", "SwiGLU"}};
  EXPECT_EQ(read_sizes(timm(small), timm(named)).mlp_dim, 512);
  small["mlp_layer"] = named["mlp_layer"] = {{"class", "GluMlp"}, {"gate_last", false}};
  EXPECT_EQ(read_sizes(timm(small), timm(named)).mlp_dim, 256);
}

TEST(BareStateDict, SaysTheHeadsWhereTheirNormsDo) {
  const Json small = {{"embed_dim", 96}, {"num_heads", 6}, {"depth", 1}, {"qk_norm", true}};
  EXPECT_EQ(read_sizes(timm(small), timm({{"qk_norm", true}})).heads, 6);
}

TEST(BareStateDict, SaysTheSizesOfATorchvisionModel) {
  const Json small = {{"image_size", 40},  {"patch_size", 8}, {"num_layers", 2}, {"num_heads", 3},
                      {"hidden_dim", 192}, {"mlp_dim", 50},   {"num_classes", 4}};
  const Source torchvision{.publisher = Publisher::torchvision, .name = "VisionTransformer"};
  Source source = torchvision;
  source.config = small;
  const auto vit = read_sizes(source, torchvision);
  EXPECT_THAT((std::vector{vit.image_size[0], vit.depth, vit.heads, vit.mlp_dim, vit.classes}),
              ElementsAre(40, 2, 3, 50, 4));
}

TEST(BareStateDict, KeepsThePictureOfItsNameWhereItsPatchesFit) {
  const Json wide = {{"img_size", {64, 128}}, {"depth", 1}, {"num_classes", 0}};
  const auto vit = read_sizes(timm(wide), timm(wide));
  EXPECT_EQ(vit.image_size, (std::array<std::int64_t, 2>{64, 128}));
  EXPECT_EQ(vit.classes, 0);
  EXPECT_THAT(error_of([&] {
                read_sizes(timm(wide), timm({{"img_size", 224}}));
              }),
              AllOf(HasSubstr("positions of 32 patches"), HasSubstr("14 x 14")));
}

TEST(BareStateDict, OfADinoHasItsTeachersPrefixAndChunks) {
  Source source{.publisher = Publisher::original,
                .name = "DINOv2",
                .config = {{"depth", 2}, {"embed_dim", 64}, {"num_heads", 1}, {"num_classes", 0}}};
  source.shapes = {{"backbone.cls_token", {1, 1, 64}},
                   {"backbone.blocks.0.0.norm1.weight", {64}},
                   {"backbone.blocks.1.1.norm1.weight", {64}}};
  const auto keys = build(source).keys;
  EXPECT_THAT(keys.their_names("blocks.1.attn.qkv.weight", "backbone."),
              ElementsAre("backbone.blocks.1.1.attn.qkv.weight"));
  EXPECT_THAT(keys.their_names("blocks.0.ls1.gamma", "backbone."), ElementsAre("backbone.blocks.0.0.ls1.gamma"));
  EXPECT_TRUE(keys.is_dropped("dino_head.mlp.0.weight", "backbone."));
  source.shapes.clear();
  EXPECT_THAT(build(source).keys.their_names("reg_token", ""), ElementsAre("register_tokens"));
}

// --- other sizes of the same model

TEST(TimmVit, TakesOtherSizesThatItsPatchesDivide) {  // R038
  Vit vit(config_of(timm({{"embed_dim", 64}, {"num_heads", 1}, {"depth", 1}, {"num_classes", 0}})));
  nn::randomise(vit, 1);
  const auto output = vit.forward(random({1, 3, 384, 384}, 2));
  EXPECT_EQ(output.grid, (nn::Grid{24, 24}));
  EXPECT_EQ(output.last_hidden_state.size(1), 577);
  EXPECT_EQ(vit.forward(random({1, 3, 96, 96}, 2)).last_hidden_state.size(1), 37);
  EXPECT_THAT(error_of([&] {
                vit.forward(random({1, 3, 225, 224}, 2));
              }),
              AllOf(HasSubstr("225 x 224"), HasSubstr("16 x 16"), HasSubstr("--size 240x224")));
}

TEST(TimmVit, PadsWhereItsFileSaysSo) {
  Vit vit(config_of(timm(
      {{"embed_dim", 64}, {"num_heads", 1}, {"depth", 1}, {"dynamic_img_size", true}, {"dynamic_img_pad", true}})));
  nn::randomise(vit, 1);
  EXPECT_EQ(vit.forward(random({1, 3, 225, 3}, 2)).grid, (nn::Grid{15, 1}));
}

TEST(TimmVit, AnswersWithFeaturesWithoutItsHead) {  // R037
  Source source = timm({{"depth", 1}});
  source.classes = 0;
  const auto built = build(source);
  nn::randomise(*built.model, 1);
  const auto output = built.model->forward(random({2, 3, 224, 224}, 2));
  EXPECT_FALSE(output.logits.defined());
  EXPECT_EQ(output.pooler_output.sizes(), at::IntArrayRef({2, 768}));
  source.classes = 10;
  EXPECT_EQ(build(source).model->classes(), 10);
  EXPECT_THAT(build(source).heads, ElementsAre("head", "head_dist"));
}

}  // namespace
}  // namespace nunchi::models
