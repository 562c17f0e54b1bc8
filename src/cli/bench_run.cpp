#include "cli/bench_run.h"

#include <fmt/format.h>

#include <set>

#include "cli/commands.h"
#include "core/progress.h"

namespace nunchi::cli {

double Measured::pictures_per_second() const {
  return result.seconds.empty() ? 0 : static_cast<double>(batch) / result.at(0.5);
}

std::string BenchedModel::in_words(const PageWords& say) const {
  return say("{} parameters, {:.3g} GFLOP a picture of {}", with_thousands(info.parameters), gflop(),
             to_string(info.input_shape));
}

double BenchedModel::flops(const Measured& m) const { return 1e9 * gflop() * m.pictures_per_second(); }

std::optional<double> BenchRun::share_of_peak(const BenchedModel& model, const Measured& m) const {
  const double most = peak.of(m.precision);
  if (most <= 0) return std::nullopt;
  return model.flops(m) / most;
}

std::vector<std::string> short_names(const std::vector<BenchedModel>& models) {
  std::vector<std::string> last, last_two;
  for (const auto& model : models) {
    std::filesystem::path path = model.name;
    if (!path.has_filename()) path = path.parent_path();
    last.push_back(path.filename().string());
    last_two.push_back((path.parent_path().filename() / path.filename()).string());
  }
  return std::set(last.begin(), last.end()).size() == last.size() ? last : last_two;
}

}  // namespace nunchi::cli
