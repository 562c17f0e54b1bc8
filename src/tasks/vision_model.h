// tasks/vision_model.h: a checkpoint ready to answer: its network, its picture transform and its labels.
//
//   tasks::VisionModel model({.path = "vit-base-patch16-224"}, nn::Precision::bf16);
//   const auto output = model.forward(pixels);   // [b, 3, h, w] float -> ModelOutput, all in float
//
// All forwards of a process are called by one thread: LibTorch's OpenMP makes a team of workers for each thread that
// calls it.
#pragma once

#include <filesystem>

#include "tasks/model_files.h"
#include "weights/checkpoint.h"

namespace nunchi::tasks {

class VisionModel {
 public:
  // Without a precision: int8 where the checkpoint is stored so, otherwise fp32. Throws Error (model, usage) as
  // open_model_files, and Error (usage) for int8 on another device than the CPU.
  explicit VisionModel(const ModelSource& source, std::optional<nn::Precision> precision = {},
                       at::Device device = at::kCPU);

  // pixels [b, c, h, w], float. Runs under InferenceMode at the model's precision, on its device, there picture by
  // picture where it is the CPU (models/by_pictures.h); every output is float, on the CPU.
  models::ModelOutput forward(const Tensor& pixels, const models::ForwardOptions& options = {}) const;

  // Throws Error (model) where the folder has no preprocessor_config.json.
  const image::Transform& transform() const;
  // From now on pictures are resized to exactly this, without crop, instead of as the checkpoint says. Throws as above.
  void see_at(int height, int width);
  bool has_transform() const { return transform_.has_value(); }

  models::Model& network() const { return *network_; }

  // The same network with its plain weights in fp32, for gradients: read again from the checkpoint when it is first
  // asked for, beside the one that answers, which stays as it is and as fast. What the file holds in fp32 is shown
  // where it is mapped and takes no memory of its own. Throws Error (model) as loading does.
  models::Model& plain_network() const;
  // The same network once more, shapes only (models::count_macs, layers).
  std::unique_ptr<models::Model> network_of_shapes() const;

  const weights::Checkpoint& checkpoint() const { return checkpoint_; }
  const std::vector<std::string>& labels() const { return labels_; }
  const std::string& label(std::int64_t id) const { return labels_.at(static_cast<std::size_t>(id)); }
  const std::string& type() const { return type_; }  // model_type, or the preset's name
  std::int64_t parameters() const { return parameters_; }
  nn::Precision precision() const { return precision_; }
  at::Device device() const { return device_; }  // of the weights

 private:
  VisionModel(ModelFiles files, const std::string& labels, std::optional<nn::Precision> precision, at::Device device);

  std::string type_;
  std::filesystem::path path_;
  std::optional<image::Transform> transform_;
  std::vector<std::string> labels_;
  models::Source source_;
  std::unique_ptr<models::Model> network_;
  mutable std::unique_ptr<models::Model> plain_;
  weights::Checkpoint checkpoint_;
  std::int64_t parameters_ = 0;
  nn::Precision precision_;
  at::Device device_;
};

// The same answer, every tensor in float and on the CPU.
models::ModelOutput as_float_on_cpu(models::ModelOutput output);

// Damaged weights must not look like an answer: throws Error (model) where a number is infinite or none at all.
void require_finite(const Tensor& answer);

// One transformed picture as network input, [1, channels, h, w].
Tensor as_batch(const image::PixelValues& picture);

nn::Precision precision_from_name(const std::string& name);  // throws Error (usage)
std::string_view precision_name(nn::Precision precision);

}  // namespace nunchi::tasks
