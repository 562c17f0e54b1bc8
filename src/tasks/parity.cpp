#include "tasks/parity.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <algorithm>

#include "formats/safetensors.h"
#include "tasks/forward.h"

namespace nunchi::tasks {
namespace {

struct Case {
  std::filesystem::path folder;
  std::string name, peer, arch;  // arch: where the weights come without config.json
  ForwardInput input;
  std::vector<std::string> required;
  double atol, rtol;
};

Case read_case(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "case.json")) {
    throw Error(ErrorKind::input,
                fmt::format("{}: not a parity case: expected case.json, model/ and expected.safetensors in it",
                            folder.string()));
  }
  const Json json = read_json(folder / "case.json");
  Case c{.folder = folder,
         .name = get_or<std::string>(json, "name", folder.filename().string()),
         .peer = get_or<std::string>(json, "peer", "") + " " + get_or<std::string>(json, "peer_version", ""),
         .required = get_or(json, "required", std::vector<std::string>{}),
         .atol = get_or(json, "atol", 0.0),
         .rtol = get_or(json, "rtol", 1e-4)};
  if (!std::filesystem::exists(folder / "model" / "config.json")) c.arch = get_or<std::string>(json, "arch", "");
  c.input.image = folder / get_or<std::string>(json, "input", "input.png");
  const auto size = get_or(json, "size", std::vector<int>{});
  if (size.size() == 2) c.input.size = {size[0], size[1]};
  return c;
}

const Tensor* find(const std::vector<NamedTensor>& outputs, const std::string& name) {
  for (const auto& output : outputs) {
    if (output.name == name) return &output.value;
  }
  return nullptr;
}

StageResult compare(const std::string& name, const Tensor& expected, const Tensor* found, const Case& c) {
  StageResult stage{.name = name, .required = std::ranges::count(c.required, name) > 0};
  if (found == nullptr) {
    stage.remark = "not produced";
    return stage;
  }
  if (found->sizes() != expected.sizes()) {
    stage.remark = fmt::format("expected shape {}, found {}", to_string(expected.sizes()), to_string(found->sizes()));
    return stage;
  }
  const double largest = expected.abs().max().item<double>();
  stage.max_absolute = (expected - *found).abs().max().item<double>();
  stage.max_relative = largest > 0 ? stage.max_absolute / largest : stage.max_absolute;
  stage.passed = name == "pixel_values" ? at::equal(expected, *found) : stage.max_absolute <= c.atol + c.rtol * largest;
  return stage;
}

// Embeddings, block after block, then what follows from them: the order in which a first failure means something.
std::vector<std::string> in_order(const formats::SafetensorsFile& expected, const std::vector<NamedTensor>& outputs) {
  std::vector<std::string> names;
  for (const auto& output : outputs) {
    if (expected.find(output.name)) names.push_back(output.name);
  }
  for (const auto& tensor : expected.tensors()) {
    if (!find(outputs, tensor.name)) names.push_back(tensor.name);
  }
  return names;
}

}  // namespace

bool ParityResult::passed() const {
  return !stages.empty() &&
         std::ranges::all_of(stages, [](const auto& stage) { return stage.passed || !stage.required; });
}

const StageResult* ParityResult::first_failure() const {
  const auto found = std::ranges::find_if(stages, [](const auto& stage) { return !stage.passed; });
  return found == stages.end() ? nullptr : &*found;
}

double rounding_of(nn::Precision precision) {
  switch (precision) {
    case nn::Precision::fp32:
      return 0;
    case nn::Precision::bf16:
      return 0.05;
    case nn::Precision::int8:
      return 0.15;
  }
  ASSERT(false, "every precision has its case");
}

ParityResult run_case(const std::filesystem::path& folder, nn::Precision precision, at::Device device) {
  Case c = read_case(folder);
  c.rtol = std::max(c.rtol, rounding_of(precision));
  const auto expected = formats::SafetensorsFile::open(folder / "expected.safetensors");
  const VisionModel model({.path = folder / "model", .arch = c.arch}, precision, device);
  const auto outputs = forward_outputs(model, c.input);

  ParityResult result{.name = c.name, .peer = c.peer, .stages = {}};
  for (const auto& name : in_order(expected, outputs)) {
    const auto& view = *expected.find(name);
    if (view.dtype != formats::Dtype::f32) {
      throw Error(ErrorKind::input,
                  fmt::format("{}: tensor \"{}\": expected F32, found {}", (folder / "expected.safetensors").string(),
                              name, formats::dtype_name(view.dtype)));
    }
    const Tensor wanted = at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, at::kFloat);
    result.stages.push_back(compare(name, wanted, find(outputs, name), c));
  }
  for (const auto& name : c.required) {
    if (!expected.find(name)) {
      result.stages.push_back({.name = name, .required = true, .remark = "required, but not in expected.safetensors"});
    }
  }
  return result;
}

}  // namespace nunchi::tasks
