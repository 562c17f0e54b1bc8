// tasks/info.h: what a model is, told from its files without running it.
#pragma once

#include <filesystem>

#include "tasks/model_files.h"

namespace nunchi::tasks {

struct ModelInfo {
  std::string type, arch_class;  // model_type; the first of "architectures"
  std::int64_t parameters = 0;
  std::int64_t macs = 0;  // of one picture at input_shape
  Shape input_shape;      // channels, height, width
  std::int64_t classes = 0;
  std::uint64_t weight_bytes = 0;
  std::string weight_dtypes;  // "F32", "F16, F32"
  std::size_t tensors = 0, files = 0;
  std::string transform;  // in words; empty where the folder does not say
};

// Reads headers only, never the weights. Throws Error (model) where the weights do not fit config.json.
ModelInfo describe_model(const ModelSource& source);

}  // namespace nunchi::tasks
