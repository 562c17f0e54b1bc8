#include "cli/walked.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/heat_map.h"
#include "tasks/seen_picture.h"

namespace nunchi::cli {
namespace {

constexpr std::int64_t shown_answers = 5;

Shape shape_of(const Tensor& tensor) {
  return tensor.defined() ? Shape(tensor.sizes().begin(), tensor.sizes().end()) : Shape{};
}

// [rows, columns]. A few values far from all others would leave the rest in one colour: the ends are percentiles.
draw::HeatMap heat_without_extremes(const Tensor& map) {
  const Tensor flat = map.to(at::kFloat).contiguous().flatten();
  const Tensor sorted = std::get<0>(flat.sort());
  const auto last = static_cast<double>(flat.numel() - 1);
  const float least = sorted[static_cast<std::int64_t>(0.01 * last)].item<float>();
  const float greatest = sorted[static_cast<std::int64_t>(0.99 * last + 0.5)].item<float>();
  return heat_of(flat.clamp(least, greatest).view_as(map));
}

// Of maps [1, c, h, w]; nothing of anything else.
std::optional<draw::HeatMap> mean_of_map(const Tensor& map) {
  if (map.dim() != 4) return std::nullopt;
  return heat_without_extremes(map[0].mean(0));
}

// Of tokens [1, prefix + rows * columns, dim].
std::optional<draw::HeatMap> mean_of_tokens(const Tensor& tokens, const models::ModelOutput& output) {
  const auto [rows, columns] = output.grid;
  if (tokens.dim() != 3 || tokens.size(1) != output.prefix_tokens + rows * columns) return std::nullopt;
  return heat_without_extremes(tokens[0].slice(0, output.prefix_tokens).mean(1).view({rows, columns}));
}

std::vector<std::string> prefix_names(const models::ModelOutput& output) {
  std::vector<std::string> names;
  const auto own = output.prefix_tokens - output.registers;
  for (std::int64_t i = 0; i < output.prefix_tokens; ++i)
    names.push_back(i >= own ? "register" : i == 0 ? "class" : "distillation");
  return names;
}

// One more hidden state than blocks that attend: the embeddings come first.
void walk_tokens(Walked& walked, const models::ModelOutput& output, const PageWords& say) {
  walked.prefix = prefix_names(output);
  walked.patches = output.grid;
  for (std::size_t i = 0; i < output.hidden_states.size(); ++i) {
    const Tensor& state = output.hidden_states[i];
    WalkStep step{.name = "embeddings", .shape = shape_of(state), .map = mean_of_tokens(state, output)};
    if (i == 0) {
      walked.embeddings = std::move(step);
    } else {
      step.name = say("block {}", i - 1);  // as explain and the layers' names count
      walked.blocks.push_back(std::move(step));
    }
  }
}

void walk_maps(Walked& walked, const models::ModelOutput& output, const PageWords& say) {
  walked.shrinks = true;
  const auto& maps = output.feature_maps.empty() ? output.hidden_states : output.feature_maps;
  for (std::size_t i = 0; i < maps.size(); ++i)
    walked.blocks.push_back({.name = say("stage {}", i + 1), .shape = shape_of(maps[i]), .map = mean_of_map(maps[i])});
  if (!output.attentions.empty() && !maps.empty() && maps.front().dim() == 4)
    walked.patches = {maps.front().size(2), maps.front().size(3)};
}

}  // namespace

bool keeps_tokens(const models::ModelOutput& output) {
  return output.feature_maps.empty() && !output.attentions.empty();
}

Walked walked_of(const tasks::VisionModel& model, const WalkNames& names, const image::Picture& picture,
                 const Tensor& pixels, const models::ModelOutput& output, const PageWords& say) {
  Walked walked{.names = names,
                .picture = picture,
                .seen = tasks::seen_picture(picture, model.transform()),
                .pixels = shape_of(pixels),
                .prefix = {},
                .embeddings = {},
                .blocks = {},
                .attention = {},
                .last_hidden_state = shape_of(output.last_hidden_state),
                .logits = shape_of(output.logits),
                .pooled = {},
                .answers = {}};
  keeps_tokens(output) ? walk_tokens(walked, output, say) : walk_maps(walked, output, say);
  if (!output.attentions.empty()) walked.attention = shape_of(output.attentions.back());
  if (output.pooler_output.defined() && output.pooler_output.dim() == 2)
    walked.pooled = {.name = "pooler_output",
                     .shape = shape_of(output.pooler_output),
                     .map = heat_without_extremes(output.pooler_output)};
  if (output.logits.defined() && !model.labels().empty())
    walked.answers =
        tasks::top_predictions(model, output.logits, std::min(shown_answers, output.logits.size(1))).front();
  return walked;
}

}  // namespace nunchi::cli
