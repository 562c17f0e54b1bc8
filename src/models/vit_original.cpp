#include <fmt/format.h>

#include "models/vit_publishers.h"

namespace nunchi::models {
namespace {

std::vector<weights::KeyRule> block_rules(const std::string& own, const std::string& theirs, bool gated) {
  std::vector<weights::KeyRule> rules = {{own + "*.*", {theirs + "*.*"}}, {own + "*.*.*", {theirs + "*.*.*"}}};
  if (!gated) return rules;
  rules.insert(rules.begin(),
               {{own + "mlp.fc1.*", {theirs + "mlp.w12.*"}}, {own + "mlp.fc2.*", {theirs + "mlp.w3.*"}}});
  return rules;
}

// Files of DINOv2's training have their blocks in chunks: block 12 is blocks.1.12. Which chunk, where there are any.
std::optional<std::int64_t> chunk_of(const Source& source, const std::string& prefix, std::int64_t block) {
  for (std::int64_t chunk = 0; chunk <= block; ++chunk) {
    if (source.has_key(fmt::format("{}blocks.{}.{}.norm1.weight", prefix, chunk, block))) return chunk;
  }
  return std::nullopt;
}

weights::KeyTable keys_of(const Source& source, bool gated) {
  weights::KeyTable keys{.prefixes = {"backbone.", ""}};
  keys.rules = {{"cls_token", {"@cls_token"}},
                {"reg_token", {"@register_tokens"}},
                {"pos_embed", {"@pos_embed"}},
                {"patch_embed.proj.*", {"@patch_embed.proj.*"}},
                {"norm.*", {"@norm.*"}}};
  const auto add = [&](const std::vector<weights::KeyRule>& rules) {
    keys.rules.insert(keys.rules.end(), rules.begin(), rules.end());
  };
  const std::string prefix = source.has_key("backbone.cls_token") ? "backbone." : "";
  for (std::int64_t block = 0;; ++block) {
    const auto chunk = chunk_of(source, prefix, block);
    if (!chunk) break;
    add(block_rules(fmt::format("blocks.{}.", block), fmt::format("@blocks.{}.{}.", *chunk, block), gated));
  }
  add(block_rules("blocks.*.", "@blocks.*.", gated));
  keys.dropped = {"@mask_token", "head.**", "dino_head.**", "ibot_head.**"};  // what only pre-training uses
  return keys;
}

}  // namespace

VitDescription describe_original_vit(const Source& source) {
  auto [vit, keys] = describe_timm_vit(source);
  const bool second = source.name == "DINOv2";
  vit.position_rows = PositionRows::without_registers;
  vit.interpolation.antialias = second && vit.registers > 0;
  if (!vit.interpolation.antialias) vit.interpolation.scale_offset = 0.1;
  vit.left_over = second ? LeftOver::refused : LeftOver::dropped;
  return {vit, keys_of(source, vit.swiglu)};
}

}  // namespace nunchi::models
