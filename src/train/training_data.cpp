#include "train/training_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/nearest.h"
#include "image/transform.h"

namespace nunchi::train {
namespace {

// The part of a dataset that belongs to these classes, which are numbered in this order.
data::Dataset only(data::Dataset dataset, const std::vector<std::string>& classes, const std::string& path) {
  if (classes.empty()) return dataset;
  std::map<std::int64_t, std::int64_t> new_labels;
  for (const auto& name : classes) {
    const auto found = std::ranges::find(dataset.classes, name);
    if (found == dataset.classes.end())
      throw Error(ErrorKind::usage, fmt::format("data.classes: {} has no class \"{}\"; the nearest is \"{}\"", path,
                                                name, nearest_name(name, dataset.classes)));
    new_labels[found - dataset.classes.begin()] = static_cast<std::int64_t>(new_labels.size());
  }
  std::vector<std::size_t> kept;
  std::vector<data::Sample> samples;
  for (std::size_t i = 0; i < dataset.samples.size(); ++i) {
    const auto label = new_labels.find(dataset.samples[i].label);
    if (label == new_labels.end()) continue;
    kept.push_back(i);
    samples.push_back({.name = dataset.samples[i].name, .label = label->second});
  }
  dataset.picture = [kept = std::move(kept), whole = std::move(dataset.picture)](
                        std::size_t index, const image::DecodeOptions& options) { return whole(kept[index], options); };
  dataset.samples = std::move(samples);
  dataset.classes = classes;
  return dataset;
}

data::Dataset open_training(const DataRecipe& recipe) {
  auto whole = data::open_dataset(recipe.path);
  if (!whole.splits.empty())
    whole = data::open_dataset(recipe.path, {.split = recipe.train.empty() ? "train" : recipe.train});
  return only(std::move(whole), recipe.classes, recipe.path);
}

std::vector<std::size_t> all_of(const data::Dataset& dataset) {
  std::vector<std::size_t> indices(dataset.samples.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

// As many, evenly from all, so that every class keeps its share.
std::vector<std::size_t> limited(const std::vector<std::size_t>& indices, std::size_t limit) {
  if (limit == 0 || limit >= indices.size()) return indices;
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < limit; ++i) chosen.push_back(indices[i * indices.size() / limit]);
  return chosen;
}

// The mean and deviation of x / 255 of which the transform makes the same numbers.
image::Normalize normalisation(const image::Transform& transform) {
  const bool readable = transform.scaling != image::Scaling::none && !transform.minus_one &&
                        !transform.divide_by_std_again && !transform.flip_channels && !transform.pad;
  if (!readable) {
    throw Error(ErrorKind::usage, fmt::format("training with pictures as this model wants them is not supported:\n{}",
                                              image::describe(transform)));
  }
  auto normalize = transform.normalize.value_or(image::Normalize{});
  const bool divides = transform.scaling == image::Scaling::divide;
  const double largest = divides ? 255 / transform.factor : 255 * transform.factor;
  for (std::size_t i = 0; i < 3; ++i) {
    normalize.mean[i] /= largest;
    normalize.std[i] /= largest;
  }
  return normalize;
}

data::LoaderOptions loader_options(const Recipe& recipe, const Network& network) {
  return {.batch = static_cast<std::size_t>(recipe.data.batch),
          .workers = static_cast<int>(recipe.data.workers),
          .seed = static_cast<std::uint64_t>(recipe.run.seed),
          .shape = network.shape(),
          .decode = {.apply_exif_orientation = network.transform.apply_exif_orientation},
          .keep_decoded = recipe.data.keep_decoded};
}

}  // namespace

TrainingData::TrainingData(const DataRecipe& recipe, std::uint64_t seed) : dataset_(open_training(recipe)) {
  if (recipe.validation.empty()) {
    split_ = data::split_samples(dataset_, recipe.validation_fraction, seed);
  } else {
    own_validation_ = only(data::open_dataset(recipe.path, {.split = recipe.validation}), recipe.classes, recipe.path);
    if (own_validation_->classes != dataset_.classes) {
      throw Error(ErrorKind::input, fmt::format("{}: the splits \"{}\" and \"{}\" have other classes ({} and {})",
                                                recipe.path, dataset_.split, own_validation_->split,
                                                dataset_.classes.size(), own_validation_->classes.size()));
    }
    split_ = {.train = all_of(dataset_), .validation = all_of(*own_validation_)};
  }
  split_.train = limited(split_.train, static_cast<std::size_t>(recipe.limit));
}

std::unique_ptr<data::Loader> TrainingData::training_loader(const Recipe& recipe, const Network& network) const {
  auto options = loader_options(recipe, network);
  options.drop_last = split_.train.size() >= options.batch;
  const data::Augmentation augmentation(augment_options(recipe.augment, network.transform, network.shape()));
  const auto source = [augmentation](const image::Picture& picture, data::Random& random, std::span<float> out) {
    augmentation.apply(picture, random, out);
  };
  return std::make_unique<data::Loader>(dataset_, split_.train, source, options);
}

std::unique_ptr<data::Loader> TrainingData::validation_loader(const Recipe& recipe, const Network& network) const {
  auto options = loader_options(recipe, network);
  options.shuffle = options.drop_last = false;
  const auto source = [transform = network.transform](const image::Picture& picture, data::Random&,
                                                      std::span<float> out) {
    image::apply_into(transform, picture, out);
  };
  return std::make_unique<data::Loader>(validation_dataset(), split_.validation, source, options);
}

data::AugmentOptions augment_options(const AugmentRecipe& recipe, const image::Transform& transform,
                                     const std::array<std::int64_t, 3>& shape) {
  const auto normalize = normalisation(transform);
  data::AugmentOptions options{.size = {static_cast<int>(shape[1]), static_cast<int>(shape[2])},
                               .filter = transform.resize.filter,
                               .flip = recipe.flip,
                               .vertical_flip = recipe.vertical_flip,
                               .rotation = recipe.rotation,
                               .grayscale = recipe.grayscale,
                               .mean = normalize.mean,
                               .std = normalize.std};
  if (recipe.crop == "resized")
    options.random_resized_crop = {.scale = {recipe.scale[0], recipe.scale[1]},
                                   .ratio = {recipe.ratio[0], recipe.ratio[1]}};
  else if (transform.resize.mode == image::ResizeMode::shortest_edge)
    options.shortest_edge = transform.resize.size.height;
  if (recipe.crop == "random") options.random_crop = {.padding = static_cast<int>(recipe.padding)};
  if (recipe.brightness > 0 || recipe.contrast > 0 || recipe.saturation > 0 || recipe.hue > 0) {
    options.color_jitter = {.brightness = recipe.brightness,
                            .contrast = recipe.contrast,
                            .saturation = recipe.saturation,
                            .hue = recipe.hue};
  }
  if (recipe.rand_augment_operations > 0) {
    options.rand_augment = {.operations = static_cast<int>(recipe.rand_augment_operations),
                            .magnitude = static_cast<int>(recipe.rand_augment_magnitude)};
  }
  if (recipe.erasing > 0) options.random_erasing = {.probability = recipe.erasing};
  return options;
}

}  // namespace nunchi::train
