#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/loader.h"

namespace nunchi::data {
namespace {

constexpr std::uint64_t split_stream = Random::first_reserved_stream + 1;  // and one more for each class

}  // namespace

Split split_samples(const Dataset& dataset, double validation_fraction, std::uint64_t seed) {
  if (!(validation_fraction >= 0 && validation_fraction < 1)) {
    throw Error(ErrorKind::usage, fmt::format("expected a validation fraction from 0 to below 1, found {}: it is the "
                                              "part of the training pictures that is held back",
                                              validation_fraction));
  }
  std::vector<std::vector<std::size_t>> classes(dataset.classes.size());
  for (std::size_t i = 0; i < dataset.samples.size(); ++i)
    classes[static_cast<std::size_t>(dataset.samples[i].label)].push_back(i);
  Split split;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    auto& samples = classes[label];
    Random random(seed, 0, split_stream + label);
    random.shuffle(samples);
    const double held_back = std::nearbyint(static_cast<double>(samples.size()) * validation_fraction);
    const auto border = samples.begin() + static_cast<std::ptrdiff_t>(held_back);
    split.validation.insert(split.validation.end(), samples.begin(), border);
    split.train.insert(split.train.end(), border, samples.end());
  }
  std::ranges::sort(split.train);
  std::ranges::sort(split.validation);
  return split;
}

}  // namespace nunchi::data
