#include "models/vit_publishers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/vit_transformers.h"

namespace nunchi::models {
namespace {

VitDescription describe(const Source& source) {
  switch (source.publisher) {
    case Publisher::transformers: {
      const auto config = vit_config_from_transformers(source);
      return {config, vit_keys_of_transformers(config, key_style(source))};
    }
    case Publisher::timm:
      return describe_timm_vit(source);
    case Publisher::torchvision:
      return describe_torchvision_vit(source);
    case Publisher::original:
      return describe_original_vit(source);
  }
  ASSERT(false, "every publisher has its reader");
}

// The shapes of a checkpoint's tensors under the model's own names.
class OwnShapes {
 public:
  OwnShapes(const Source& source, const weights::KeyTable& keys) : source_(source), keys_(keys) {
    std::vector<std::string> names;
    for (const auto& [name, shape] : source.shapes) names.push_back(name);
    prefix_ = keys.find_prefix(names);
  }

  // One size of a tensor; nothing where the file has no such tensor, or an empty one.
  std::optional<std::int64_t> size(const std::string& own_name, std::size_t axis) const {
    std::int64_t joined = 0;
    for (const auto& name : keys_.their_names(own_name, prefix_)) {
      const auto shape = source_.shape(name);
      if (!shape || axis >= shape->size()) return std::nullopt;
      joined = axis == 0 ? joined + shape->at(0) : shape->at(axis);
    }
    return joined > 0 ? std::optional(joined) : std::nullopt;
  }

 private:
  const Source& source_;
  const weights::KeyTable& keys_;
  std::string prefix_;
};

// The picture that fills this many patches: the architecture's own, or else a square one.
std::array<std::int64_t, 2> image_of(const VitConfig& vit, std::int64_t patches) {
  const auto [rows, columns] = vit.grid();
  if (rows * columns == patches) return vit.image_size;
  const auto side = std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(patches, 0))));
  if (side < 1 || side * side != patches) {
    throw Error(ErrorKind::model,
                fmt::format("positions of {} patches: expected {} x {}, or as many rows as columns; how they lie is "
                            "not known without a config.json",
                            patches, rows, columns));
  }
  return {side * vit.patch[0], side * vit.patch[1]};
}

// What a bare state dict says better than its architecture's name: fine-tuned and shrunken variants have other sizes.
// The channels per head cannot be seen, so they stay.
void take_sizes(VitConfig& vit, const OwnShapes& shapes) {
  const auto head_dim = shapes.size("blocks.0.attn.q_norm.weight", 0).value_or(vit.dim / vit.heads);
  const auto take = [&](std::int64_t& size, const std::string& name, std::size_t axis) {
    size = shapes.size(name, axis).value_or(size);
  };
  take(vit.dim, "patch_embed.proj.weight", 0);
  take(vit.channels, vit.hybrid_stem ? "patch_embed.backbone.conv.weight" : "patch_embed.proj.weight", 1);
  const auto stride = vit.hybrid_stem ? nn::HybridStem::stride : 1;  // of the map that the patches are cut from
  for (const std::size_t axis : {0, 1})
    vit.patch.at(axis) = stride * shapes.size("patch_embed.proj.weight", axis + 2).value_or(vit.patch_kernel()[axis]);
  take(vit.mlp_dim, "blocks.0.mlp.fc2.weight", 1);
  take(vit.registers, "reg_token", 1);
  if (const auto inner = shapes.size("blocks.0.attn.proj.weight", 1)) vit.heads = *inner / head_dim;
  std::int64_t depth = 0;
  while (shapes.size(fmt::format("blocks.{}.norm1.weight", depth), 0)) ++depth;
  if (depth > 0) vit.depth = depth;
  if (const auto rows = shapes.size("pos_embed", 1)) vit.image_size = image_of(vit, *rows - vit.prefix_rows());
  vit.classes = shapes.size("head.weight", 0).value_or(0);
}

void check(const VitConfig& vit) {
  const Json none = Json::object();
  check_sizes(none, {vit.channels, vit.patch[0], vit.patch[1], vit.dim, vit.heads, vit.mlp_dim});
  check_sizes(none, {vit.image_size[0] / vit.patch[0], vit.image_size[1] / vit.patch[1]});
  check_sizes(none, {vit.channels * vit.patch[0] * vit.patch[1]});
  check_sizes(none, {vit.depth}, 1000);
  if (vit.registers != 0) check_sizes(none, {vit.registers});
  if (vit.classes != 0) check_sizes(none, {vit.classes});
}

}  // namespace

Built build_vit(const Source& source) {
  auto [config, keys] = describe(source);
  if (source.sizes_from_shapes) take_sizes(config, {source, keys});
  if (source.classes) config.classes = *source.classes;
  if (source.publisher != Publisher::transformers) check(config);
  return {std::make_unique<Vit>(config), std::move(keys), {"head", "head_dist"}};
}

}  // namespace nunchi::models
