// models/publish.h: what writers of the publishers' configs have in common.
//
//   PublishCheck check("transformers' ViT");
//   check(vit.registers == 0, "register tokens");   // throws Error (usage) that names them
#pragma once

#include <array>
#include <string>

#include "core/json.h"
#include "ops/activation.h"

namespace nunchi::models {

class PublishCheck {
 public:
  explicit PublishCheck(std::string target) : target_(std::move(target)) {}

  // Throws Error (usage) where the target cannot express what the model has.
  void operator()(bool expressible, const std::string& what) const;

 private:
  std::string target_;
};

// One number where both are equal, else [height, width].
Json one_or_two(const std::array<std::int64_t, 2>& pair);

// The names of transformers' ACT2FN, and of timm's act_layer.
std::string transformers_name(ops::Activation activation);
std::string timm_name(ops::Activation activation);

// The ratio of which `dim` times it, truncated, is `hidden` again.
double exact_ratio(std::int64_t hidden, std::int64_t dim);

}  // namespace nunchi::models
