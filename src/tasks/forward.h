// tasks/forward.h: the bare network's outputs under the field names of transformers' ModelOutput: the contract by which
// nunchi is compared with its peers.
#pragma once

#include <filesystem>

#include "tasks/vision_model.h"

namespace nunchi::tasks {

struct NamedTensor {
  std::string name;
  Tensor value;  // float, contiguous
};

struct ForwardInput {
  std::filesystem::path image;
  std::optional<image::Size> size;  // instead of the checkpoint's own size; no crop then
};

// pixel_values, hidden_state_k (0 the embeddings, k after block k), last_hidden_state, pooler_output, further logits,
// logits, attentions_last: those that the model has. All but the attentions come from the path that inference takes.
std::vector<NamedTensor> forward_outputs(const VisionModel& model, const ForwardInput& input);

void write_outputs(const std::filesystem::path& path, const std::vector<NamedTensor>& outputs);

}  // namespace nunchi::tasks
