#include "explain/graph.h"

#include <gmock/gmock.h>

#include "explain/small_models.h"

namespace nunchi::explain {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;

// The small networks of CIFAR-10 are weights alone: their names say what they are.
tasks::ModelFiles files_of_case(const std::string& name) {
  const auto folder = std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/cases" / name;
  const auto arch = name.starts_with("cifar_") ? read_json(folder / "case.json").at("arch").get<std::string>() : "";
  return tasks::open_model_files({.path = folder / "model", .arch = arch});
}

Graph graph_of_case(const std::string& name) {
  const auto files = files_of_case(name);
  return graph_of(*files.built.model, files.built.model->input_shape());
}

const GraphLayer& child_named(const GraphLayer& layer, const std::string& name) {
  const auto child = std::ranges::find(layer.children, name, &GraphLayer::name);
  if (child == layer.children.end()) throw std::out_of_range(name);
  return *child;
}

void expect_sums(const GraphLayer& layer, const std::string& model) {
  std::int64_t parameters = 0, macs = 0;
  for (const auto& child : layer.children) {
    expect_sums(child, model);
    parameters += child.count * child.parameters;
    macs += child.count * child.macs;
  }
  if (layer.children.empty()) return;
  EXPECT_GE(layer.parameters, parameters) << model << " " << layer.name;
  EXPECT_GE(layer.macs, macs) << model << " " << layer.name;
  if (layer.kind == "attention") return;  // which multiplies between its projections
  EXPECT_EQ(layer.macs, macs) << model << " " << layer.name;
}

// Each family, with what makes it special: the numbers are those that the model itself tells.
TEST(Graph, AddsUpToTheModel) {
  for (const char* name : {"vit_classifier",
                           "vit_pooler",
                           "deit_distilled",
                           "dinov2_registers_swiglu",
                           "beit_classifier",
                           "beit_shared_bias",
                           "timm_eva02",
                           "timm_eva02_tiny",
                           "dinov3_gated",
                           "swin_classifier",
                           "swin_four_stages",
                           "swinv2_classifier",
                           "timm_swin_non_square",
                           "resnet_basic",
                           "resnet_bottleneck",
                           "timm_resnet_d",
                           "mobilenet_v2",
                           "convnext",
                           "convnextv2",
                           "cifar_resnet20",
                           "cifar_simple_cnn",
                           "timm_vit_map",
                           "timm_vit_hybrid_stem",
                           "timm_vit_registers",
                           "timm_deit3"}) {
    const auto graph = graph_of_case(name);
    const auto fresh = files_of_case(name);
    EXPECT_EQ(graph.network.parameters, fresh.built.model->parameter_count()) << name;
    EXPECT_EQ(graph.network.macs, models::count_macs(*fresh.built.model, graph.input)) << name;
    expect_sums(graph.network, name);
  }
}

TEST(Graph, NamesAreThoseThatWatchersSee) {
  for (const char* name : {"vit_classifier", "swinv2_classifier", "resnet_bottleneck", "convnext"}) {
    const auto model = small_model(name);
    const auto anatomy = anatomy_of(model, model.network().input_shape());
    const auto graph = graph_of_case(name);
    ASSERT_EQ(graph.layers.size(), anatomy.layers.size()) << name;
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      EXPECT_EQ(graph.layers[i].name, anatomy.layers[i].name);
      EXPECT_EQ(graph.layers[i].shape, anatomy.layers[i].shape);
    }
  }
}

// 3 blocks of width 48 with 4 heads over 48 x 48 pixels in patches of 16: the closed forms.
TEST(Graph, AVisionTransformerIsAFewBlocksAndWhatLiesAroundThem) {
  const auto files = files_of_case("vit_classifier");
  const auto graph = graph_of_case("vit_classifier");
  const auto& blocks = child_named(graph.network, "blocks.0 ... 2");
  EXPECT_EQ(blocks.kind, "block");
  EXPECT_EQ(blocks.count, 3);
  const auto& attn = child_named(blocks, "attn");
  const auto n = blocks.shape[1], d = blocks.shape[2];
  EXPECT_EQ(attn.kind, "attention");
  EXPECT_EQ(attn.macs, 4 * n * d * d + 2 * n * n * d);
  EXPECT_EQ(child_named(attn, "qkv").macs, 3 * n * d * d);
  EXPECT_EQ(child_named(attn, "qkv").parameters, 3 * d * d + 3 * d);
  EXPECT_EQ(child_named(attn, "qkv").shape, (Shape{1, n, 3 * d}));
  EXPECT_EQ(child_named(blocks, "norm1").kind, "layer norm");
  EXPECT_EQ(child_named(graph.network, "patch_embed").kind, "patch embedding");
  EXPECT_EQ(child_named(graph.network, "cls_token").kind, "parameter");
  EXPECT_EQ(child_named(graph.network, "head").shape, (Shape{1, files.built.model->classes()}));
  EXPECT_EQ(graph.heads * graph.head_dim, d);
}

const GraphLayer* first_of_kind(const GraphLayer& layer, const std::string& kind) {
  if (layer.kind == kind) return &layer;
  for (const auto& child : layer.children) {
    if (const auto* found = first_of_kind(child, kind)) return found;
  }
  return nullptr;
}

// Inside a layer's op, or between the layers.
TEST(Graph, KnowsWhereTheInputIsAdded) {
  for (const char* name : {"vit_classifier", "swin_classifier", "swinv2_classifier", "beit_classifier"}) {
    const auto graph = graph_of_case(name);
    const auto* block = first_of_kind(graph.network, "block");
    ASSERT_NE(block, nullptr) << name;
    std::vector<std::string> adding;
    for (const auto& child : block->children)
      if (adds_within(child)) adding.push_back(child.name);
    if (std::string(name).starts_with("swinv2")) {
      EXPECT_THAT(adding, ElementsAre("norm1", "norm2"));
    } else {
      EXPECT_THAT(adding, ElementsAre("attn", "mlp")) << name;
    }
  }
}

// Version 2 of Swin uses the weights of some layers without asking these.
TEST(Graph, CountsLayersWhoseWeightsAreUsedDirectly) {
  const auto graph = graph_of_case("swinv2_classifier");
  const auto* layer = first_of_kind(graph.network, "attention");
  ASSERT_NE(layer, nullptr);
  const auto windows = layer->shape[0], n = layer->shape[1], d = layer->shape[2];
  EXPECT_EQ(child_named(*layer, "qkv").kind, "linear");
  EXPECT_EQ(child_named(*layer, "qkv").macs, windows * n * 3 * d * d);
  EXPECT_EQ(child_named(*layer, "qkv").shape, (Shape{windows, n, 3 * d}));
}

TEST(Graph, EqualBlocksOfAStageAreOne) {
  const auto graph = graph_of_case("resnet_bottleneck");
  std::vector<std::int64_t> counts;
  for (const auto& layer : graph.network.children) {
    for (const auto& block : layer.children) counts.push_back(block.count);
  }
  EXPECT_THAT(counts, Contains(testing::Gt(0)));
  for (const auto& layer : graph.network.children) {
    for (std::size_t i = 1; i < layer.children.size(); ++i)
      EXPECT_FALSE(layer.children[i - 1].parameters == layer.children[i].parameters &&
                   layer.children[i - 1].macs == layer.children[i].macs && layer.kind.empty() &&
                   layer.children[i].kind == "block")
          << layer.name;
  }
}

TEST(Graph, TakesAnotherSize) {
  const auto files = files_of_case("vit_classifier");
  auto input = files.built.model->input_shape();
  input[1] *= 2;
  const auto graph = graph_of(*files.built.model, input);
  const auto fresh = files_of_case("vit_classifier");
  EXPECT_EQ(graph.network.macs, models::count_macs(*fresh.built.model, input));
  EXPECT_EQ(graph.network.parameters, fresh.built.model->parameter_count());
}

TEST(Graph, IsCutAtADepth) {
  const auto graph = graph_of_case("swin_classifier");
  const auto cut = cut_at(graph.network, 1);
  EXPECT_EQ(layer_count(cut), 1 + graph.network.children.size());
  EXPECT_EQ(cut.macs, graph.network.macs);
  const auto depth = depth_within(graph.network, 30);
  EXPECT_LE(layer_count(cut_at(graph.network, depth)), 30U);
  EXPECT_GT(layer_count(cut_at(graph.network, depth + 1)), 30U);
}

}  // namespace
}  // namespace nunchi::explain
