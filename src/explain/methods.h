// explain/methods.h: the methods by name: `nunchi explain --method grad-cam,rollout`.
//
//   for (const Method* method : methods_named("grad-cam,rollout")) use(explain(*method, subject, {.target = {282}}));
//   for (const Method& method : methods()) use(method.name, method.summary, method.paper);
#pragma once

#include <map>
#include <span>
#include <string_view>

#include "explain/work.h"

namespace nunchi::explain {

struct Asked {
  Target target;
  std::string layer = {};                    // of activation maps and of `attention`; empty: the family's own
  std::optional<std::int64_t> head = {};     // of `attention`; without: their mean
  double discarded = 0;                      // of `rollout`
  std::optional<std::int64_t> samples = {};  // of the methods that draw some or take steps; without: their own number
  Work work = {};
};

struct Explanation {
  Tensor map;              // [rows, columns] over the picture, float: more is more important
  Tensor raw;              // what the method gives before that; the map itself where that is all
  std::string layer = {};  // whose values it is made of; empty where it has none
};

struct Method {
  std::string_view name, summary, paper;
  bool needs_classes = true;
  bool depends_on_class = true;
  bool needs_attention = false;
  Explanation (*run)(const Subject& subject, const Asked& asked);
};

std::span<const Method> methods();

// Throws Error (usage) for an unknown one, or where the model cannot have it (with the reason, and what to use).
const Method& method_named(const std::string& name, const Subject& subject);

// Names divided by commas; "all" for all that this model can have. Throws as above.
std::vector<const Method*> methods_named(const std::string& names, const Subject& subject);

// Why this model cannot have the method; empty where it can.
std::string obstacle(const Method& method, const Subject& subject);

// What is shown where nobody says: what needs few forwards and suits the family.
std::vector<const Method*> usual_methods(const Subject& subject);

// Throws Error (usage, interrupted), and Error (model) where a number is not finite.
Explanation explain(const Method& method, const Subject& subject, const Asked& asked);

}  // namespace nunchi::explain
