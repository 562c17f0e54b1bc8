#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/swin_publishers.h"

namespace nunchi::models {
namespace {

// Lengths of a file's tensors by the model's own names.
class OwnShapes {
 public:
  OwnShapes(const Source& source, const weights::KeyTable& keys)
      : source_(source), keys_(keys), prefix_(keys.prefixes.front()) {}

  // Nothing where there is no such tensor or axis.
  std::optional<std::int64_t> length(const std::string& own, std::size_t axis = 0) const {
    const auto shape = source_.shape(keys_.their_names(own, prefix_).front());
    return shape && axis < shape->size() ? std::optional(shape->at(axis)) : std::nullopt;
  }

 private:
  const Source& source_;
  const weights::KeyTable& keys_;
  std::string prefix_;
};

// A window of another size than the name's: as large as its table of positions, or of their coordinates, says.
void take_window(SwinStageConfig& stage, const OwnShapes& shapes, const std::string& attention) {
  nn::Grid window = stage.window;
  if (const auto rows = shapes.length(attention + "relative_position_bias_table")) {
    const auto ways = std::lround(std::sqrt(*rows));
    const bool as_named = *rows == (2 * window[0] - 1) * (2 * window[1] - 1);
    if (!as_named && ways * ways == *rows) window = {(ways + 1) / 2, (ways + 1) / 2};
  }
  for (const std::size_t axis : {0, 1}) {
    if (const auto ways = shapes.length(attention + "relative_coords_table", axis + 1)) window[axis] = (*ways + 1) / 2;
    if (window[axis] != stage.window[axis] && stage.shift[axis] > 0) stage.shift[axis] = window[axis] / 2;
  }
  stage.window = window;
}

void take_stage(SwinStageConfig& stage, const OwnShapes& shapes, std::size_t number) {
  const auto block = [&](std::int64_t i) { return fmt::format("layers.{}.blocks.{}.", number, i); };
  const auto first = block(0), attention = first + "attn.";
  stage.dim = shapes.length(first + "norm1.weight").value_or(stage.dim);
  stage.depth = 1;
  while (shapes.length(block(stage.depth) + "norm1.weight")) ++stage.depth;
  stage.mlp_dim = shapes.length(first + "mlp.fc1.weight").value_or(stage.mlp_dim);
  stage.heads = shapes.length(attention + "relative_position_bias_table", 1).value_or(stage.heads);
  stage.heads = shapes.length(attention + "logit_scale").value_or(stage.heads);
  const auto inner = shapes.length(attention + "qkv.weight").value_or(3 * stage.dim) / 3;
  if (stage.heads > 0 && inner != stage.dim) stage.head_dim = inner / stage.heads;
  take_window(stage, shapes, attention);
  check_sizes(Json::object(), {stage.dim, stage.mlp_dim, stage.heads, stage.window[0], stage.window[1]});
}

}  // namespace

void take_sizes_from_shapes(SwinConfig& swin, const Source& source, const weights::KeyTable& keys) {
  const OwnShapes shapes(source, keys);
  std::vector<SwinStageConfig> stages;
  for (std::size_t i = 0; shapes.length(fmt::format("layers.{}.blocks.0.norm1.weight", i)); ++i) {
    stages.push_back(swin.stages[std::min(i, swin.stages.size() - 1)]);
    take_stage(stages.back(), shapes, i);
  }
  if (!stages.empty()) swin.stages = stages;
  swin.channels = shapes.length("patch_embed.proj.weight", 1).value_or(swin.channels);
  for (const std::size_t axis : {0, 1})
    swin.patch[axis] = shapes.length("patch_embed.proj.weight", axis + 2).value_or(swin.patch[axis]);
  check_sizes(Json::object(), {swin.channels, swin.patch[0], swin.patch[1]});
  if (!source.classes) swin.classes = shapes.length("head.fc.weight").value_or(0);
}

}  // namespace nunchi::models
