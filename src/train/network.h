// train/network.h: the network that a recipe asks for, in memory of its own and ready to train, with all that its way
// back into files needs.
//
//   Network network = make_network(recipe, dataset.classes);
//   network.model->forward(pixels).logits;                     // [b, classes]
//   image::apply(network.transform, picture);                  // how it wants pictures, outside training
#pragma once

#include "image/transform.h"
#include "models/registry.h"
#include "train/recipe.h"

namespace nunchi::train {

struct Network {
  std::unique_ptr<models::Model> model;
  std::vector<std::string> heads;    // names of its classifiers
  image::Transform transform;        // to pictures of one size
  std::vector<std::string> remarks;  // what the user should know: a new head, ...

  // Its way back: whose names it has, and what stands beside the weights.
  models::Source source;
  weights::KeyTable keys;
  std::string prefix;
  Json config = Json::object();           // the checkpoint's; of an architecture in timm's words; else empty
  std::optional<Json> preprocessor = {};  // the checkpoint's, where the recipe changes nothing of it

  // [channels, height, width] of what it reads in training and validation.
  std::array<std::int64_t, 3> shape() const;
};

// With `model.arch` from scratch: values drawn from the recipe's seed. With `model.checkpoint` those of the checkpoint;
// the head is drawn anew unless it has these very classes. Throws Error (usage, model) where the recipe does not fit.
Network make_network(const Recipe& recipe, const std::vector<std::string>& classes);

}  // namespace nunchi::train
