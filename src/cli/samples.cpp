#include "cli/samples.h"

namespace nunchi::cli {

std::vector<std::size_t> choose_samples(const data::Dataset& dataset, const tasks::ClassMapping& mapping,
                                        std::int64_t limit) {
  std::vector<std::size_t> counting;
  for (std::size_t i = 0; i < dataset.samples.size(); ++i)
    if (!mapping.classes[static_cast<std::size_t>(dataset.samples[i].label)].empty()) counting.push_back(i);
  const auto wanted = static_cast<std::size_t>(limit);
  if (limit == 0 || wanted >= counting.size()) return counting;
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(counting[i * counting.size() / wanted]);
  return chosen;
}

}  // namespace nunchi::cli
