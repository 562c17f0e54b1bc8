#include "cli/samples.h"

#include <algorithm>

namespace nunchi::cli {

std::vector<std::size_t> spread_evenly(std::size_t count, std::size_t wanted) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < std::min(count, wanted); ++i) chosen.push_back(i * count / std::min(count, wanted));
  return chosen;
}

std::vector<std::size_t> choose_samples(const data::Dataset& dataset, const tasks::ClassMapping& mapping,
                                        std::int64_t limit) {
  std::vector<std::size_t> counting;
  for (std::size_t i = 0; i < dataset.samples.size(); ++i)
    if (!mapping.classes[static_cast<std::size_t>(dataset.samples[i].label)].empty()) counting.push_back(i);
  if (limit == 0) return counting;
  std::vector<std::size_t> chosen;
  for (const auto i : spread_evenly(counting.size(), static_cast<std::size_t>(limit))) chosen.push_back(counting[i]);
  return chosen;
}

}  // namespace nunchi::cli
