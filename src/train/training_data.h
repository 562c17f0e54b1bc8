// train/training_data.h: the pictures that a recipe trains and validates on.
//
//   const TrainingData data(recipe.data, recipe.run.seed);
//   auto loader = data.training_loader(recipe, network);
//   loader->start(epoch);
#pragma once

#include "data/augment.h"
#include "data/loader.h"
#include "train/network.h"

namespace nunchi::train {

class TrainingData {
 public:
  // Throws Error (input, usage) where the dataset is none or has no such split, or the two splits have other classes.
  TrainingData(const DataRecipe& recipe, std::uint64_t seed);

  const std::vector<std::string>& classes() const { return dataset_.classes; }
  const data::Dataset& dataset() const { return dataset_; }
  const data::Dataset& validation_dataset() const { return own_validation_ ? *own_validation_ : dataset_; }
  std::size_t training_pictures() const { return split_.train.size(); }
  std::size_t validation_pictures() const { return split_.validation.size(); }  // 0: no validation

  // Both refer to this object, and the network's transform is copied.
  std::unique_ptr<data::Loader> training_loader(const Recipe& recipe, const Network& network) const;
  std::unique_ptr<data::Loader> validation_loader(const Recipe& recipe, const Network& network) const;

 private:
  data::Dataset dataset_;
  std::optional<data::Dataset> own_validation_;
  data::Split split_;
};

// How the recipe changes pictures, towards the size and numbers that `transform` gives. Throws Error (usage) where the
// transform does what training cannot yet (channels in another order, padding).
data::AugmentOptions augment_options(const AugmentRecipe& recipe, const image::Transform& transform,
                                     const std::array<std::int64_t, 3>& shape);

}  // namespace nunchi::train
