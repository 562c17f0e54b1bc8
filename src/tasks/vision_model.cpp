#include "tasks/vision_model.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "models/by_pictures.h"
#include "tasks/labels.h"

namespace nunchi::tasks {
namespace {

// A new head has no names yet, whatever the checkpoint says about the old one.
std::vector<std::string> choose_labels(const ModelFiles& files, const std::string& given) {
  const auto classes = files.built.model->classes();
  if (!given.empty()) return read_labels(given, classes);
  return files.replaced_heads.empty() ? labels_of(files.config, classes) : unnamed_labels(classes);
}

void require_cpu_for_int8(const std::filesystem::path& path, nn::Precision precision, at::Device device) {
  if (precision != nn::Precision::int8 || device.is_cpu()) return;
  throw Error(ErrorKind::usage, fmt::format("{}: int8 is computed on the CPU, found device {}: choose the CPU, or fp32 "
                                            "or bf16 as the precision",
                                            path.string(), device.str()));
}

}  // namespace

models::ModelOutput as_float_on_cpu(models::ModelOutput output) {
  for (Tensor* tensor : models::tensors_of(output)) {
    if (tensor->defined()) *tensor = tensor->to(at::kCPU, at::kFloat);
  }
  return output;
}

VisionModel::VisionModel(const ModelSource& source, std::optional<nn::Precision> precision, at::Device device)
    : VisionModel(open_model_files(source), source.labels, precision, device) {}

VisionModel::VisionModel(ModelFiles files, const std::string& labels, std::optional<nn::Precision> precision,
                         at::Device device)
    : type_(std::move(files.type)),
      path_(std::move(files.path)),
      transform_(std::move(files.transform)),
      labels_(choose_labels(files, labels)),
      source_(std::move(files.source)),
      network_(std::move(files.built.model)),
      checkpoint_(std::move(files.weights), std::move(files.built.keys), std::move(files.replaced_heads), device),
      parameters_(network_->parameter_count()),
      precision_(precision.value_or(checkpoint_.has_int8() ? nn::Precision::int8 : nn::Precision::fp32)),
      device_(device) {
  require_cpu_for_int8(path_, precision_, device_);
  checkpoint_.load_to_freeze(*network_);
  weights::freeze(*network_, precision_, &checkpoint_);
}

models::ModelOutput VisionModel::forward(const Tensor& pixels, const models::ForwardOptions& options) const {
  const c10::InferenceMode inference;
  auto output = models::forward_by_pictures(*network_, pixels.to(device_, nn::activation_dtype(precision_)), options);
  checkpoint_.check();
  return as_float_on_cpu(std::move(output));
}

std::unique_ptr<models::Model> VisionModel::network_of_shapes() const { return models::build(source_).model; }

models::Model& VisionModel::plain_network() const {
  if (plain_) return *plain_;
  auto network = network_of_shapes();
  checkpoint_.load(*network);
  plain_ = std::move(network);
  return *plain_;
}

const image::Transform& VisionModel::transform() const {
  if (transform_) return *transform_;
  throw Error(ErrorKind::model,
              fmt::format("{}: expected a preprocessor_config.json, found none: how this model wants its "
                          "pictures is not known. Copy the file there from where the model was published.",
                          path_.string()));
}

void VisionModel::see_at(int height, int width) { transform_ = image::with_size(transform(), height, width); }

void require_finite(const Tensor& answer) {
  if (at::isfinite(answer).all().item<bool>()) return;
  throw Error(ErrorKind::model,
              "the network's answer is not a number: its weights are damaged, or too large for this --precision");
}

Tensor as_batch(const image::PixelValues& picture) {
  Tensor pixels = at::empty({1, picture.channels, picture.height, picture.width}, at::kFloat);
  std::copy(picture.values.begin(), picture.values.end(), pixels.mutable_data_ptr<float>());
  return pixels;
}

std::string_view precision_name(nn::Precision precision) {
  switch (precision) {
    case nn::Precision::fp32:
      return "fp32";
    case nn::Precision::bf16:
      return "bf16";
    case nn::Precision::int8:
      return "int8";
  }
  ASSERT(false, "every precision has its name");
}

nn::Precision precision_from_name(const std::string& name) {
  if (name == "fp32") return nn::Precision::fp32;
  if (name == "bf16") return nn::Precision::bf16;
  if (name == "int8") return nn::Precision::int8;
  throw Error(ErrorKind::usage, fmt::format("--precision {}: not known; known are fp32, bf16 and int8", name));
}

}  // namespace nunchi::tasks
