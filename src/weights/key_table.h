// weights/key_table.h: how one publisher's names for tensors relate to a model's own, in both directions.
//
//   KeyTable table{.publisher = "transformers",
//                  .prefixes = {"vit.", ""},
//                  .rules = {{"blocks.*.norm1.*", {"@encoder.layer.*.layernorm_before.*"}},
//                            {"blocks.*.attn.qkv.*", {"@...query.*", "@...key.*", "@...value.*"}}}};
//   table.their_names("blocks.3.norm1.bias", "vit.")   // {"vit.encoder.layer.3.layernorm_before.bias"}
//
// A `*` stands for one part between dots; the stars of both sides correspond in order. `@` stands for the prefix that a
// model with a head puts before its backbone. Several names on the right are one tensor on the left, joined along the
// first axis.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nunchi::weights {

struct KeyRule {
  std::string own;
  std::vector<std::string> theirs;
};

struct KeyTable {
  std::string publisher;
  std::vector<std::string> prefixes = {""};  // the first that any name of the file begins with is taken
  std::vector<KeyRule> rules;        // the first that matches counts; a name that none matches is the same for both
  std::vector<std::string> dropped;  // patterns of their names that the model has no use for; "**" ends a pattern

  // Which of the prefixes the file uses.
  std::string find_prefix(const std::vector<std::string>& file_names) const;
  std::vector<std::string> their_names(std::string_view own_name, std::string_view prefix) const;
  bool is_dropped(std::string_view their_name, std::string_view prefix) const;
};

}  // namespace nunchi::weights
