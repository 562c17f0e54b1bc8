#include "tasks/profile.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "core/interrupt.h"
#include "core/timing.h"

namespace nunchi::tasks {
namespace {

constexpr std::int64_t unrecorded_every = 4;
constexpr double nanosecond = 1e-9;

double time_unrecorded(const VisionModel& model, const Tensor& pixels) {
  const auto start = Clock::now();
  model.forward(pixels);
  return seconds_since(start);
}

ops::Recording record(const VisionModel& model, const Tensor& pixels) {
  ops::Recorder recorder;
  {
    models::ModelOutput output;  // let go after the forward's slice, and before the recording ends
    const ops::OpScope forward("forward", {&pixels});
    output = model.forward(pixels);
  }
  return recorder.take();
}

using LineKey = std::tuple<std::string, std::vector<Shape>, at::ScalarType>;

LineKey key_of(const ops::Slice& slice) { return {slice.name, slice.inputs, slice.dtype}; }

// The sums over all runs.
void add_to(std::map<LineKey, OpLine>& lines, const ops::Recording& forward) {
  const auto line_of = line_slices(forward);
  for (std::size_t i = 0; i < forward.slices.size(); ++i) {
    const auto& slice = forward.slices[i];
    if (line_of[i] != i) continue;
    const double seconds = nanosecond * static_cast<double>(slice.duration());
    auto& line = lines[key_of(slice)];
    ++line.calls;
    line.seconds += seconds;
    line.macs += slice.macs;
    line.bytes += slice.bytes_read + slice.bytes_written;
    if (!slice.parent) continue;
    lines[key_of(forward.slices[line_of[*slice.parent]])].seconds -= seconds;  // it is not spent there
  }
}

MemoryPeak find_peak(const ops::Recording& forward) {
  MemoryPeak peak;
  const auto line_of = line_slices(forward);
  for (const auto& point : forward.memory) {
    if (point.bytes <= peak.bytes) continue;
    peak = {.bytes = point.bytes,
            .seconds = nanosecond * static_cast<double>(point.time - forward.slices.front().begin),
            .op = {},
            .inputs = {}};
    if (!point.slice || line_of[*point.slice] == 0) continue;
    const auto& line = forward.slices[line_of[*point.slice]];
    peak.op = line.name;
    peak.inputs = line.inputs;
  }
  return peak;
}

double seconds_of(const ops::Recording& run) { return nanosecond * static_cast<double>(run.slices.front().duration()); }

// What the recorded forwards add up to.
struct Sums {
  std::map<LineKey, OpLine> lines;
  std::vector<double> seconds;
  ops::Recording fastest;

  void add(ops::Recording run) {
    add_to(lines, run);
    seconds.push_back(seconds_of(run));
    if (fastest.slices.empty() || seconds_of(run) < seconds_of(fastest)) fastest = std::move(run);
  }
};

Profile summary(Sums sums) {
  Profile profile{.ops = {}, .runs = std::ssize(sums.seconds), .forward = std::move(sums.fastest), .peak = {}};
  const auto count = static_cast<double>(profile.runs);
  for (const double seconds : sums.seconds) profile.seconds += seconds / count;
  profile.median_seconds = median(std::move(sums.seconds));
  const auto& forward = profile.forward.slices.front();
  for (const auto& [key, line] : sums.lines) {
    const double seconds = line.seconds / count;
    if (key == key_of(forward)) {
      profile.between_seconds = seconds;
      continue;
    }
    const auto& [name, inputs, dtype] = key;
    profile.ops.push_back({.name = name,
                           .inputs = inputs,
                           .dtype = dtype,
                           .calls = line.calls / profile.runs,
                           .seconds = seconds,
                           .macs = line.macs / profile.runs,
                           .bytes = line.bytes / profile.runs});
    profile.macs += profile.ops.back().macs;
  }
  std::ranges::stable_sort(profile.ops, std::greater(), &OpLine::seconds);
  profile.peak = find_peak(profile.forward);
  return profile;
}

}  // namespace

std::vector<std::size_t> line_slices(const ops::Recording& forward) {
  std::vector<std::size_t> line_of(forward.slices.size());
  for (std::size_t i = 0; i < line_of.size(); ++i) {
    const auto& slice = forward.slices[i];
    const bool is_line = slice.is_op || !slice.parent || line_of[*slice.parent] == 0;
    line_of[i] = is_line ? i : line_of[*slice.parent];
  }
  return line_of;
}

void warm_up(const VisionModel& model, const Tensor& pixels, const ProfileOptions& options) {
  for (std::int64_t i = 0; i < options.warm_ups; ++i) {
    throw_if_stopped();
    options.on_progress(i, options.warm_ups + options.runs);
    model.forward(pixels);
  }
}

Profile profile_forward(const VisionModel& model, const Tensor& pixels, const ProfileOptions& options) {
  const auto total = options.warm_ups + options.runs;
  warm_up(model, pixels, options);
  Sums sums;
  std::vector<double> unrecorded;
  for (std::int64_t i = 0; i < options.runs && !stop_requested(); ++i) {
    options.on_progress(options.warm_ups + i, total);
    if (i % unrecorded_every == 0) unrecorded.push_back(time_unrecorded(model, pixels));
    sums.add(record(model, pixels));
  }
  if (sums.seconds.empty()) throw_if_stopped();
  auto profile = summary(std::move(sums));
  profile.unrecorded_seconds = median(std::move(unrecorded));
  return profile;
}

}  // namespace nunchi::tasks
