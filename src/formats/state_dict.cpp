#include "formats/state_dict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "formats/pickle_builder.h"
#include "formats/quote_name.h"

namespace nunchi::formats {
namespace {

constexpr std::size_t most_depth = 8;

constexpr std::array<std::string_view, 18> wrappers{
    "state_dict_ema", "model_ema", "ema_state_dict",   "ema",         "teacher", "target_encoder",
    "state_dict",     "model",     "model_state_dict", "model_state", "net",     "network",
    "module",         "weights",   "shadow",           "student",     "encoder", "backbone"};

constexpr std::array<std::string_view, 3> run_prefixes{"module.", "_orig_mod.", "backbone."};
constexpr std::string_view backbone = "backbone.";
constexpr std::array<std::string_view, 5> projection_heads{"head.mlp.", "head.last_layer.", "dino_head.", "ibot_head.",
                                                           "projector."};

using Tensors = std::map<std::string, const PickledTensor*>;

class Search {
 public:
  explicit Search(const PickleTree& tree, const std::string& file) : tree_(tree), file_(file) {}
  const PickleValue* find(ValueId id, std::size_t depth = 0);
  std::string path() const { return fmt::format("{}", fmt::join(path_, "/")); }

 private:
  bool is_dict(ValueId id) const { return tree_.at(id).kind == ValueKind::dict; }
  std::optional<ValueId> entry(const PickleValue& dict, std::string_view key) const;
  bool holds_tensors(const PickleValue& dict) const;
  const PickleValue* find_wrapped(const PickleValue& dict, std::size_t depth);
  const PickleValue* find_only_one(const PickleValue& dict);

  const PickleTree& tree_;
  const std::string& file_;
  std::set<ValueId> seen_;  // dicts may hold themselves
  std::vector<std::string> path_;
};

// As in Python, the last of two equal keys counts.
std::optional<ValueId> Search::entry(const PickleValue& dict, std::string_view key) const {
  for (std::size_t i = dict.items.size(); i >= 2; i -= 2) {
    const PickleValue& found = tree_.at(dict.items[i - 2]);
    if (found.kind == ValueKind::text && found.text == key) return dict.items[i - 1];
  }
  return std::nullopt;
}

bool Search::holds_tensors(const PickleValue& dict) const {
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const bool named = tree_.at(dict.items[i]).kind == ValueKind::text;
    if (named && tree_.at(dict.items[i + 1]).kind == ValueKind::tensor) return true;
  }
  return false;
}

const PickleValue* Search::find_wrapped(const PickleValue& dict, std::size_t depth) {
  for (const std::string_view wrapper : wrappers) {
    const auto inner = entry(dict, wrapper);
    if (!inner || !is_dict(*inner)) continue;
    path_.emplace_back(wrapper);
    if (const auto* found = find(*inner, depth + 1)) return found;
    path_.pop_back();
  }
  return nullptr;
}

const PickleValue* Search::find_only_one(const PickleValue& dict) {
  std::map<std::string, const PickleValue*> candidates;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = tree_.at(dict.items[i]);
    const PickleValue& value = tree_.at(dict.items[i + 1]);
    if (key.kind != ValueKind::text || value.kind != ValueKind::dict || !holds_tensors(value)) continue;
    candidates[std::string(key.text)] = &value;
  }
  if (candidates.empty()) return nullptr;
  if (candidates.size() == 1) {
    path_.push_back(candidates.begin()->first);
    return candidates.begin()->second;
  }
  std::vector<std::string> names;
  for (const auto& [name, dict_of_tensors] : candidates) names.push_back(quote_name(name));
  const std::size_t count = names.size();
  names.resize(std::min<std::size_t>(count, 10));
  throw Error(ErrorKind::model, fmt::format("{}: expected one state dict, found tensors under {} names: {}{}; save the "
                                            "one that is meant alone",
                                            file_, count, fmt::join(names, ", "), count > names.size() ? ", ..." : ""));
}

const PickleValue* Search::find(ValueId id, std::size_t depth) {
  if (depth > most_depth || !seen_.insert(id).second) return nullptr;
  const PickleValue& dict = tree_.at(id);
  if (const auto* wrapped = find_wrapped(dict, depth)) return wrapped;
  return holds_tensors(dict) ? &dict : find_only_one(dict);
}

bool all_begin_with(const Tensors& tensors, std::string_view prefix) {
  return std::all_of(tensors.begin(), tensors.end(), [&](const auto& entry) {
    return entry.first.size() > prefix.size() && entry.first.starts_with(prefix);
  });
}

Tensors without_prefix(const Tensors& tensors, std::string_view prefix) {
  Tensors result;
  for (const auto& [name, tensor] : tensors) result.emplace(name.substr(prefix.size()), tensor);
  return result;
}

bool is_projection_head(std::string_view name) {
  return std::any_of(projection_heads.begin(), projection_heads.end(),
                     [&](std::string_view head) { return name.starts_with(head); });
}

// Nothing where a name is neither the backbone's nor the projection head's: a classifier on a backbone is a model too.
Tensors backbone_beside_head(const Tensors& tensors) {
  Tensors result;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(backbone)) result.emplace(name, tensor);
    if (!name.starts_with(backbone) && !is_projection_head(name)) return {};
  }
  return result;
}

void take_prefixes_off(StateDict& found) {
  for (bool changed = true; changed && found.prefix.size() < 256;) {
    changed = false;
    if (Tensors alone = backbone_beside_head(found.tensors); !alone.empty()) found.tensors = std::move(alone);
    for (const std::string_view prefix : run_prefixes) {
      if (changed || !all_begin_with(found.tensors, prefix)) continue;
      found.tensors = without_prefix(found.tensors, prefix);
      found.prefix += prefix;
      changed = true;
    }
  }
}

// As Python and JSON want names: UTF-8 (RFC 3629) without overlong forms and surrogates.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
    if (size == 0 || size > text.size() - i) return false;
    for (std::size_t k = 1; k < size; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const auto second = size > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    if (overlong || (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f)) return false;
    i += size;
  }
  return true;
}

Tensors tensors_of(const PickleTree& tree, const PickleValue& dict, const std::string& file) {
  Tensors tensors;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = tree.at(dict.items[i]);
    const PickleValue& value = tree.at(dict.items[i + 1]);
    if (key.kind != ValueKind::text) continue;
    if (!is_utf8(key.text)) {
      throw Error(ErrorKind::model, fmt::format("{}: expected names in UTF-8, found {}", file, quote_name(key.text)));
    }
    if (value.kind != ValueKind::tensor) {
      tensors.erase(std::string(key.text));
    } else {
      tensors[std::string(key.text)] = &tree.tensors[static_cast<std::size_t>(value.integer)];
    }
  }
  return tensors;
}

}  // namespace

StateDict find_state_dict(const PickleTree& tree, const std::string& file, bool as_they_are) {
  const PickleValue& root = tree.at(tree.root);
  Search search(tree, file);
  const PickleValue* dict = nullptr;
  if (root.kind == ValueKind::dict) dict = as_they_are ? &root : search.find(tree.root);
  if (dict == nullptr) {
    throw Error(ErrorKind::model,
                fmt::format("{}: expected a state dict (names and their tensors), found {}{}", file,
                            kind_name(root.kind), root.kind == ValueKind::dict ? " without tensors" : ""));
  }
  StateDict found{.tensors = tensors_of(tree, *dict, file), .path = search.path(), .prefix = {}};
  if (!as_they_are) take_prefixes_off(found);
  return found;
}

}  // namespace nunchi::formats
