#include <fmt/format.h>

#include "cli/commands.h"
#include "tasks/fastest_precision.h"

namespace nunchi::cli {

std::optional<nn::Precision> precision_of(const Options& options, const tasks::ModelSource& source) {
  if (options.precision.empty()) return std::nullopt;
  if (options.precision != "auto") return tasks::precision_from_name(options.precision);
  const auto timed = tasks::time_precisions(source);
  if (!options.quiet) {
    std::string text;
    for (const auto& [precision, seconds] : timed)
      text += fmt::format("{}{} {:.1f} ms", text.empty() ? "" : ", ", tasks::precision_name(precision), 1000 * seconds);
    remark(fmt::format("--precision auto: {}, the fastest here ({} a picture)",
                       tasks::precision_name(timed.front().precision), text));
  }
  return timed.front().precision;
}

}  // namespace nunchi::cli
