// weights/key_table.h: how one publisher's names for tensors relate to a model's own, in both directions.
//
//   KeyTable table{.publisher = "transformers",
//                  .prefixes = {"vit.", ""},
//                  .rules = {{"blocks.*.norm1.*", {"@encoder.layer.*.layernorm_before.*"}},
//                            {"blocks.*.attn.qkv.*", {"@...query.*", "@...key.*", "@...value.*"}}}};
//   table.their_names("blocks.3.norm1.bias", "vit.")   // {"vit.encoder.layer.3.layernorm_before.bias"}
//
// A `*` stands for one part between dots, or for the rest of one (`encoder_layer_*`); the stars of both sides
// correspond in order. `@` stands for the prefix that a model with a head puts before its backbone. Several names on
// the right are one tensor on the left, joined along the first axis; `zeros` among them is a part that the publisher
// leaves out because it is always zero (the bias of the keys in BEiT and Swin v2), as large as the first that it has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nunchi::weights {

inline constexpr std::string_view zeros = "0";

struct KeyRule {
  std::string own;
  std::vector<std::string> theirs;
  // Where the publisher's tensor has axes of size 1 that the model's own has not: 1 for such an axis, 0 for an axis of
  // the own tensor, such as {0, 1, 1} for a layer scale [c] published as [c, 1, 1]. Empty: the same axes.
  std::vector<int> axes = {};
  // Where one tensor of the publisher holds several of the model's, equally long along the first axis: which of them.
  // Parts that no rule takes are written as zeros (torchvision's Swin v2 has a bias for the keys, and never uses it).
  struct Part {
    std::int64_t index, count;
  };
  std::optional<Part> part = {};
};

struct KeyTable {
  std::string publisher;
  std::string architecture = {};             // the name that the user gave; empty where config.json says it
  std::vector<std::string> prefixes = {""};  // the first that any name of the file begins with is taken
  std::vector<KeyRule> rules;        // the first that matches counts; a name that none matches is the same for both
  std::vector<std::string> dropped;  // patterns of their names that the model has no use for; "**" ends a pattern

  // Which of the prefixes the file uses.
  std::string find_prefix(const std::vector<std::string>& file_names) const;
  std::vector<std::string> their_names(std::string_view own_name, std::string_view prefix) const;
  const KeyRule* rule_for(std::string_view own_name) const;  // null where none matches
  bool is_dropped(std::string_view their_name, std::string_view prefix) const;
};

}  // namespace nunchi::weights
