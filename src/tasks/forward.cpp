#include "tasks/forward.h"

#include <fmt/format.h>

#include "image/decode.h"

namespace nunchi::tasks {
namespace {

Tensor pixel_values(const VisionModel& model, const ForwardInput& input) {
  auto transform = model.transform();
  if (input.size) transform = image::with_size(transform, input.size->height, input.size->width);
  const auto picture = image::read_picture(input.image, {.apply_exif_orientation = transform.apply_exif_orientation});
  return as_batch(image::apply(transform, picture));
}

}  // namespace

std::vector<NamedTensor> forward_outputs(const VisionModel& model, const ForwardInput& input) {
  const Tensor pixels = pixel_values(model, input);
  const auto output = model.forward(pixels, {.hidden_states = true});
  const auto attentions = model.forward(pixels, {.attentions = true}).attentions;

  std::vector<NamedTensor> named = {{"pixel_values", pixels}};
  const auto add = [&](const std::string& name, const Tensor& value) {
    if (value.defined()) named.push_back({name, value.contiguous()});
  };
  for (std::size_t i = 0; i < output.hidden_states.size(); ++i)
    add(fmt::format("hidden_state_{}", i), output.hidden_states[i]);
  for (std::size_t i = 0; i < output.feature_maps.size(); ++i)
    add(fmt::format("feature_map_{}", i), output.feature_maps[i]);
  add("last_hidden_state", output.last_hidden_state);
  add("pooler_output", output.pooler_output);
  for (const auto& [name, value] : output.further) add(name, value);
  add("logits", output.logits);
  if (!attentions.empty()) add("attentions_last", attentions.back());
  return named;
}

void write_outputs(const std::filesystem::path& path, const std::vector<NamedTensor>& outputs) {
  std::vector<formats::TensorView> views;
  for (const auto& [name, value] : outputs) views.push_back(weights::view_of(name, value));
  formats::write_safetensors(path, views);
}

}  // namespace nunchi::tasks
