// cli/machine.h: on what something was measured, as bench and profile tell it.
#pragma once

#include <optional>
#include <string>

#include "cli/page_words.h"
#include "core/json.h"

namespace nunchi::cli {

std::string machine_in_words(int threads, const PageWords& say = PageWords());  // processor, threads, kernels
Json machine_as_json(int threads);                                              // the same, an object

// "73 %"; "-" where it is not known.
std::string in_words(const std::optional<double>& share_of_peak);

}  // namespace nunchi::cli
