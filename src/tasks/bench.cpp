#include "tasks/bench.h"

#include <ATen/ops/randn.h>

#include <algorithm>
#include <cmath>

#include "core/interrupt.h"
#include "core/memory.h"
#include "core/timing.h"
#include "tasks/json_from_child.h"

namespace nunchi::tasks {
namespace {

Json measured(const ModelSource& source, const BenchCase& what, const BenchOptions& options) {
  auto begin = Clock::now();
  const VisionModel model(source, what.precision);
  keep_freed_memory();
  Json json = {{"load", seconds_since(begin)}, {"seconds", Json::array()}};
  const auto shape = model.network().input_shape();
  const Tensor pixels = at::randn({what.batch, shape[0], shape[1], shape[2]});
  const auto call = [&] {
    const auto start = Clock::now();
    model.forward(pixels);
    return seconds_since(start);
  };
  json["first"] = call();
  for (std::int64_t i = 0; i < options.warm_ups && !stop_requested(); ++i) call();
  auto& seconds = json["seconds"];
  begin = Clock::now();
  while (!stop_requested() && (std::cmp_less(seconds.size(), options.least) || seconds_since(begin) < options.seconds))
    seconds.push_back(call());
  json["stopped"] = stop_requested();
  return json;
}

}  // namespace

double BenchResult::at(double share) const {
  if (seconds.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(seconds.size())));
  return seconds[std::clamp<std::size_t>(rank, 1, seconds.size()) - 1];
}

BenchResult bench(const ModelSource& source, const BenchCase& what, const BenchOptions& options) {
  const auto [json, peak_memory] = json_from_child([&] { return measured(source, what, options); });
  BenchResult result{.peak_memory = peak_memory};
  result.error = get_or<std::string>(json, "error", "");
  if (!result.error.empty()) return result;
  result.load_seconds = json["load"].get<double>();
  result.first_seconds = json["first"].get<double>();
  result.seconds = json["seconds"].get<std::vector<double>>();
  result.stopped = json["stopped"].get<bool>();
  std::ranges::sort(result.seconds);
  return result;
}

}  // namespace nunchi::tasks
