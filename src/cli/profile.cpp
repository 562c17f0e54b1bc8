#include "tasks/profile.h"

#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/memory_curve.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/isa.h"
#include "core/progress.h"
#include "tasks/demo.h"
#include "tasks/trace.h"

namespace nunchi::cli {
namespace {

using tasks::OpLine;
using tasks::Profile;

struct Subject {
  Tensor pixels;
  std::string name;
  nn::Precision precision = nn::Precision::fp32;
};

Subject choose_pixels(const Options& options, const tasks::VisionModel& model) {
  const auto read = [&](const image::DecodeOptions& decode, const auto& decoded) {
    const auto picture = decoded(image::decoding_for(model.transform(), decode));
    const Tensor one = tasks::as_batch(image::apply(model.transform(), picture));
    return one.repeat({options.copies, 1, 1, 1});
  };
  if (!options.inputs.empty()) {
    const auto& path = options.inputs.front();
    return {.pixels = read(decode_options(options), [&](const auto& how) { return image::read_picture(path, how); }),
            .name = path};
  }
  if (model.has_transform()) {
    const auto photo = tasks::bundled_photos().front();
    const auto bytes = std::as_bytes(std::span(photo.bytes));
    return {.pixels = read({}, [&](const auto& how) { return image::decode(bytes, photo.name, how); }),
            .name = fmt::format("the bundled photo \"{}\"", photo.name)};
  }
  const auto shape = model.network().input_shape();
  return {.pixels = at::randn({options.copies, shape[0], shape[1], shape[2]}), .name = "random pixels"};
}

// "4.10 ms", "12.3 us"
std::string duration(double seconds) {
  return seconds < 1e-4 ? fmt::format("{:.1f} us", 1e6 * seconds) : fmt::format("{:.2f} ms", 1e3 * seconds);
}

std::string rate(std::int64_t macs, double seconds) {
  return macs == 0 || seconds <= 0 ? "-" : fmt::format("{:.1f}", 2e-9 * static_cast<double>(macs) / seconds);
}

OpLine sum_of(std::span<const OpLine> lines, const std::string& name) {
  OpLine sum{.name = name, .inputs = {}};
  for (const auto& line : lines) {
    sum.calls += line.calls;
    sum.seconds += line.seconds;
    sum.macs += line.macs;
    sum.bytes += line.bytes;
  }
  return sum;
}

class Table {
 public:
  // `shown`: the operations that get a line each.
  Table(Results& results, const Profile& profile, std::span<const OpLine> shown)
      : results_(results), whole_(profile.seconds) {
    for (const auto& op : shown) {
      name_width_ = std::max(name_width_, op.name.size());
      width_ = std::max(width_, tasks::shapes_text(op.inputs).size());
    }
    results_.line(fmt::format("{:<{}} {:<{}} {:>6} {:>10} {:>8} {:>9} {:>9}", "operation", name_width_, "inputs",
                              width_, "calls", "time", "share", "MB", "GFLOP/s"));
  }

  void line(const OpLine& op, const std::string& inputs) {
    results_.line(fmt::format("{:<{}} {:<{}} {:>6} {:>10} {:>6.1f} % {:>9.2f} {:>9}", op.name, name_width_, inputs,
                              width_, op.calls, duration(op.seconds), 100 * op.seconds / whole_,
                              1e-6 * static_cast<double>(op.bytes), rate(op.macs, op.seconds)));
  }

  void time(const char* name, double seconds) {
    results_.line(fmt::format("{:<{}} {:<{}} {:>6} {:>10} {:>6.1f} %", name, name_width_, "", width_, "",
                              duration(seconds), 100 * seconds / whole_));
  }

 private:
  Results& results_;
  double whole_;
  std::size_t name_width_ = std::string_view("between the operations").size(), width_ = 10;
};

void write_table(Results& results, const Profile& profile, const Options& options) {
  const std::span ops(profile.ops);
  const auto most = std::min<std::size_t>(options.top > 0 ? static_cast<std::size_t>(options.top) : 10, ops.size());
  Table table(results, profile, ops.first(most));
  for (const auto& op : ops.first(most)) table.line(op, tasks::shapes_text(op.inputs));
  const auto rest = ops.subspan(most);
  if (!rest.empty()) table.line(sum_of(rest, "the rest"), fmt::format("{} more", rest.size()));
  table.time("between the operations", profile.between_seconds);
  auto all = sum_of(ops, "forward");
  all.seconds = profile.seconds;
  table.line(all, "");
}

std::string where(const tasks::MemoryPeak& peak) {
  return peak.op.empty() ? "between the operations" : fmt::format("in {} {}", peak.op, tasks::shapes_text(peak.inputs));
}

void write_text(Results& results, const Profile& profile, const Subject& subject, const Options& options) {
  results.line(fmt::format("{} on {} {}, {}; {}, threads: {}, kernels: {}", options.model, subject.name,
                           to_string(subject.pixels.sizes()), tasks::precision_name(subject.precision),
                           cpu_info().brand, at::get_num_threads(), isa_name(chosen_isa())));
  results.line(fmt::format("{} forward{} of {} on average; median {}, and {} where nothing is recorded", profile.runs,
                           profile.runs == 1 ? "" : "s", duration(profile.seconds), duration(profile.median_seconds),
                           duration(profile.unrecorded_seconds)));
  write_table(results, profile, options);
  results.line(fmt::format("memory: {} at most beside weights and input, after {}, {}",
                           format_bytes(static_cast<std::uint64_t>(profile.peak.bytes)), duration(profile.peak.seconds),
                           where(profile.peak)));
}

Json as_json(const OpLine& op, const Profile& profile) {
  return {{"name", op.name},
          {"inputs", op.inputs},
          {"calls", op.calls},
          {"seconds", op.seconds},
          {"share", op.seconds / profile.seconds},
          {"flops", 2 * op.macs},
          {"bytes", op.bytes}};
}

Json as_json(const Profile& profile, const Subject& subject, const Options& options) {
  Json json = {{"model", options.model},
               {"input", subject.name},
               {"pixels", subject.pixels.sizes().vec()},
               {"precision", tasks::precision_name(subject.precision)},
               {"processor", cpu_info().brand},
               {"kernels", std::string(isa_name(chosen_isa()))},
               {"threads", at::get_num_threads()},
               {"runs", profile.runs},
               {"seconds", profile.seconds},
               {"median_seconds", profile.median_seconds},
               {"unrecorded_seconds", profile.unrecorded_seconds},
               {"between_seconds", profile.between_seconds},
               {"between_share", profile.between_seconds / profile.seconds},
               {"flops", 2 * profile.macs},
               {"peak_memory",
                {{"bytes", profile.peak.bytes},
                 {"seconds", profile.peak.seconds},
                 {"op", profile.peak.op},
                 {"inputs", profile.peak.inputs}}},
               {"operations", Json::array()}};
  for (const auto& op : profile.ops) json["operations"].push_back(as_json(op, profile));
  return json;
}

void write_files(const Profile& profile, const Options& options) {
  if (!options.trace.empty()) {
    write_file(options.trace, tasks::chrome_trace(profile.forward).dump());
    if (!options.quiet) remark(fmt::format("{}: open it at ui.perfetto.dev", options.trace));
  }
  if (!options.plot.empty()) draw_memory_curve(profile, options.model, options.plot);
}

}  // namespace

int profile(const Options& options) {
  for (const auto* path : {&options.trace, &options.plot})
    if (!path->empty()) check_place(*path);
  Results results(options.out);
  const auto model = open_model(options);
  auto subject = choose_pixels(options, model);
  subject.precision = model.precision();
  ProgressLine progress("profile", "forwards", options.quiet);
  const auto profile = tasks::profile_forward(
      model, subject.pixels,
      {.warm_ups = options.warm_ups, .runs = options.runs, .on_progress = [&](std::int64_t done, std::int64_t total) {
         progress.show(done, total);
       }});
  progress.clear();
  write_files(profile, options);
  options.json ? results.line(json_line(as_json(profile, subject, options)))
               : write_text(results, profile, subject, options);
  results.close();
  return stop_requested() ? exit_interrupted : 0;
}

}  // namespace nunchi::cli
