#include "tasks/bench.h"

#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/child_process.h"
#include "core/interrupt.h"
#include "core/timing.h"

namespace nunchi::tasks {
namespace {

// --- in the child

Json measured(const ModelSource& source, const BenchCase& what, const BenchOptions& options) {
  auto begin = Clock::now();
  const VisionModel model(source, what.precision);
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

std::string measured_text(const ModelSource& source, const BenchCase& what, const BenchOptions& options) {
  Json json;
  try {
    json = measured(source, what, options);
  } catch (const std::exception& error) {  // LibTorch's are long: the first line says it
    const std::string_view text = error.what();
    json = {{"error", text.substr(0, text.find('\n'))}};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

double BenchResult::at(double share) const {
  if (seconds.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(seconds.size())));
  return seconds[std::clamp<std::size_t>(rank, 1, seconds.size()) - 1];
}

BenchResult bench(const ModelSource& source, const BenchCase& what, const BenchOptions& options) {
  const auto child = run_in_child([&] { return measured_text(source, what, options); });
  BenchResult result{.peak_memory = child.peak_memory};
  if (!child.finished) {
    result.error = fmt::format("the process that measured it ended early ({}); perhaps there was not enough memory",
                               child.signal != 0 ? strsignal(child.signal) : "no signal");
    return result;
  }
  const Json json = parse_json(child.output, "the answer of the measuring process");
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
