// cli/samples.h: which pictures of a dataset a command looks at.
#pragma once

#include "data/dataset.h"
#include "tasks/class_mapping.h"

namespace nunchi::cli {

// `wanted` of the indices below `count`, spread evenly; all where there are no more.
std::vector<std::size_t> spread_evenly(std::size_t count, std::size_t wanted);

// The samples whose classes count; with a limit as many, spread evenly, so that every class keeps its share. 0: all.
std::vector<std::size_t> choose_samples(const data::Dataset& dataset, const tasks::ClassMapping& mapping,
                                        std::int64_t limit);

}  // namespace nunchi::cli
