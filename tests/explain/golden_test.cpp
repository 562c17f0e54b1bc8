// Maps as the Python peers make them (tools/make_explain_golden.py): pytorch-grad-cam, captum, attention papers.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <gmock/gmock.h>

#include <set>

#include "core/in_child.h"
#include "explain/attention.h"
#include "explain/methods.h"
#include "explain/small_models.h"
#include "formats/safetensors.h"

namespace nunchi::explain {
namespace {

namespace fs = std::filesystem;

constexpr double tolerance = 1e-4;  // of the largest value; the peers' own rounding is a fifth of it

const fs::path golden_folder = fs::path(NUNCHI_SOURCE_DIR) / "tests/golden";

const formats::SafetensorsFile& golden() {
  static const auto file = formats::SafetensorsFile::open(golden_folder / "explain.safetensors");
  return file;
}

Tensor copy_of(const formats::TensorView& view) {
  void* bytes = const_cast<std::byte*>(view.bytes.data());
  return at::from_blob(bytes, view.shape, at::TensorOptions().dtype(at::kFloat)).clone();
}

// The names of the cases, or of the maps of one.
std::vector<std::string> parts(const std::string& prefix) {
  std::set<std::string> found;
  for (const auto& view : golden().tensors()) {
    if (!view.name.starts_with(prefix)) continue;
    const auto rest = view.name.substr(prefix.size());
    found.insert(rest.substr(0, rest.find('/')));
  }
  return {found.begin(), found.end()};
}

Tensor statistic_of(const std::string& name, const Subject& subject) {
  std::vector<Tensor> blocks;
  for (const Tensor& weights : subject.with_attention().attentions)
    blocks.push_back(name == "attention-entropy" ? attention_entropy(weights[0])
                                                 : attention_distance(weights[0], subject.anatomy()));
  return at::stack(blocks);
}

class PeerMaps : public testing::TestWithParam<std::string> {};

TEST_P(PeerMaps, AreOurs) {
  const auto& name = GetParam();
  const auto expected = formats::SafetensorsFile::open(golden_folder / "cases" / name / "expected.safetensors");
  const auto model = small_model(name);
  const Subject subject(model, copy_of(*expected.find("pixel_values")));
  const Asked asked = {.target = {.answer = std::stoll(golden().metadata().at(name + "/class"))},
                       .layer = golden().metadata().at(name + "/layer")};
  for (const auto& map : parts(name + "/")) {
    const Tensor peer = copy_of(*golden().find(name + "/" + map));
    const Tensor own = map.starts_with("attention-") ? statistic_of(map, subject)
                                                     : explain(method_named(map, subject), subject, asked).raw;
    ASSERT_EQ(own.sizes(), peer.sizes()) << map;
    EXPECT_LE((own - peer).abs().max().item<double>(), tolerance * peer.abs().max().item<double>()) << map;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, PeerMaps, testing::ValuesIn(parts("")), [](const auto& test) { return test.param; });

TEST(GoldenMaps, AreOfElevenNetworksAndEveryMethodButRise) {
  EXPECT_EQ(parts("").size(), 11U);
  std::set<std::string> methods;
  for (const auto& name : parts("")) {
    for (const auto& map : parts(name + "/")) methods.insert(map);
  }
  EXPECT_THAT(methods, testing::IsSupersetOf({"grad-cam", "grad-cam++", "hires-cam", "layer-cam", "eigen-cam",
                                              "score-cam", "rollout", "grad-rollout", "input-x-gradient", "lrp",
                                              "integrated-gradients", "smooth-grad", "occlusion"}));
}

}  // namespace
}  // namespace nunchi::explain
