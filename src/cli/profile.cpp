#include "tasks/profile.h"

#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/memory_curve.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/memory.h"
#include "core/peak.h"
#include "core/progress.h"
#include "tasks/demo.h"
#include "tasks/layer_times.h"
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

std::string_view precision_of_dtype(at::ScalarType dtype) {
  return dtype == at::kChar ? "int8" : dtype == at::kBFloat16 ? "bf16" : dtype == at::kFloat ? "fp32" : "";
}

// Of the multiply-adds that the peak allows; nothing where there are none, or it is not known.
std::optional<double> share_of_peak(const OpLine& op, const Peak& peak) {
  const double most = peak.of(precision_of_dtype(op.dtype));
  if (op.macs == 0 || op.seconds <= 0 || most <= 0) return std::nullopt;
  return 2 * static_cast<double>(op.macs) / op.seconds / most;
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
  Table(Results& results, const Profile& profile, const Peak& peak, std::span<const OpLine> shown)
      : results_(results), peak_(peak), whole_(profile.seconds) {
    for (const auto& op : shown) {
      name_width_ = std::max(name_width_, op.name.size());
      width_ = std::max(width_, tasks::shapes_text(op.inputs).size());
    }
    results_.line(fmt::format("{:<{}} {:<{}} {:>6} {:>10} {:>8} {:>9} {:>9} {:>8}", "operation", name_width_, "inputs",
                              width_, "calls", "time", "share", "MB", "GFLOP/s", "of peak"));
  }

  void line(const OpLine& op) { sum(op, tasks::shapes_text(op.inputs), in_words(share_of_peak(op, peak_))); }

  void sum(const OpLine& op, const std::string& inputs, const std::string& of_peak = "") {
    results_.line(fmt::format("{:<{}} {:<{}} {:>6} {:>10} {:>6.1f} % {:>9.2f} {:>9} {:>8}", op.name, name_width_,
                              inputs, width_, op.calls, duration(op.seconds), 100 * op.seconds / whole_,
                              1e-6 * static_cast<double>(op.bytes), rate(op.macs, op.seconds), of_peak));
  }

  void time(const char* name, double seconds) {
    results_.line(fmt::format("{:<{}} {:<{}} {:>6} {:>10} {:>6.1f} %", name, name_width_, "", width_, "",
                              duration(seconds), 100 * seconds / whole_));
  }

 private:
  Results& results_;
  const Peak& peak_;
  double whole_;
  std::size_t name_width_ = std::string_view("between the operations").size(), width_ = 10;
};

void write_table(Results& results, const Profile& profile, const Peak& peak, const Options& options) {
  const std::span ops(profile.ops);
  const auto most = std::min<std::size_t>(options.top > 0 ? static_cast<std::size_t>(options.top) : 10, ops.size());
  Table table(results, profile, peak, ops.first(most));
  for (const auto& op : ops.first(most)) table.line(op);
  const auto rest = ops.subspan(most);
  if (!rest.empty()) table.sum(sum_of(rest, "the rest"), fmt::format("{} more", rest.size()));
  table.time("between the operations", profile.between_seconds);
  auto all = sum_of(ops, "forward");
  all.seconds = profile.seconds;
  table.sum(all, "");
}

std::string where(const tasks::MemoryPeak& peak) {
  return peak.op.empty() ? "between the operations" : fmt::format("in {} {}", peak.op, tasks::shapes_text(peak.inputs));
}

void write_head(Results& results, const Subject& subject, const Options& options) {
  results.line(fmt::format("{} on {} {}, {}; {}", options.model, subject.name, to_string(subject.pixels.sizes()),
                           tasks::precision_name(subject.precision), machine_in_words(at::get_num_threads())));
}

void write_text(Results& results, const Profile& profile, const Subject& subject, const Peak& peak,
                const Options& options) {
  write_head(results, subject, options);
  results.line(fmt::format("{} forward{} of {} on average; median {}, and {} where nothing is recorded", profile.runs,
                           profile.runs == 1 ? "" : "s", duration(profile.seconds), duration(profile.median_seconds),
                           duration(profile.unrecorded_seconds)));
  write_table(results, profile, peak, options);
  results.line(fmt::format("memory: {} at most beside weights and input, after {}, {}",
                           format_bytes(static_cast<std::uint64_t>(profile.peak.bytes)), duration(profile.peak.seconds),
                           where(profile.peak)));
}

Json as_json(const OpLine& op, const Profile& profile, const Peak& peak) {
  Json json = {{"name", op.name},      {"inputs", op.inputs},   {"precision", precision_of_dtype(op.dtype)},
               {"calls", op.calls},    {"seconds", op.seconds}, {"share", op.seconds / profile.seconds},
               {"flops", 2 * op.macs}, {"bytes", op.bytes}};
  if (const auto share = share_of_peak(op, peak)) json["share_of_peak"] = *share;
  return json;
}

Json head_as_json(const Subject& subject, const Options& options) {
  Json json = machine_as_json(at::get_num_threads());
  json.update({{"model", options.model},
               {"input", subject.name},
               {"pixels", subject.pixels.sizes().vec()},
               {"precision", tasks::precision_name(subject.precision)}});
  return json;
}

Json as_json(const Profile& profile, const Subject& subject, const Peak& peak, const Options& options) {
  Json json = head_as_json(subject, options);
  json.update({{"runs", profile.runs},
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
               {"operations", Json::array()}});
  for (const auto& op : profile.ops) json["operations"].push_back(as_json(op, profile, peak));
  return json;
}

void write_files(const Profile& profile, const Options& options) {
  if (!options.trace.empty()) {
    write_file(options.trace, tasks::chrome_trace(profile.forward).dump());
    if (!options.quiet) remark(fmt::format("{}: open it at ui.perfetto.dev", options.trace));
  }
  if (!options.plot.empty()) draw_memory_curve(profile, options.model, options.plot);
}

// --- by layers

// "layers.0.blocks.*.attn": the last number of a name stands for all.
std::string kind_of(const std::string& layer) {
  auto end = layer.size();
  while (true) {
    const auto dot = layer.rfind('.', end - 1);
    const auto begin = dot == std::string::npos ? 0 : dot + 1;
    const std::string_view part = std::string_view(layer).substr(begin, end - begin);
    if (part.find_first_not_of("0123456789") == std::string_view::npos)
      return layer.substr(0, begin) + "*" + layer.substr(end);
    if (begin == 0) return layer;
    end = dot;
  }
}

// The layers of one kind together, where the first of them stands.
struct LayerKind {
  std::string name;
  std::int64_t count = 0;
  double seconds = 0, own_seconds = 0;
};

std::vector<LayerKind> kinds_of(const tasks::LayerTimes& times) {
  std::vector<LayerKind> kinds;
  for (const auto& layer : times.layers) {
    const auto name = kind_of(layer.name);
    auto kind = std::ranges::find(kinds, name, &LayerKind::name);
    if (kind == kinds.end()) kind = kinds.insert(kinds.end(), {.name = name});
    ++kind->count;
    kind->seconds += layer.seconds;
    kind->own_seconds += layer.own_seconds;
  }
  return kinds;
}

void write_text(Results& results, const tasks::LayerTimes& times, const Subject& subject, const Options& options) {
  write_head(results, subject, options);
  results.line(
      fmt::format("{} forward{} of {} on average", times.runs, times.runs == 1 ? "" : "s", duration(times.seconds)));
  const auto kinds = kinds_of(times);
  std::size_t width = std::string_view("in no layer").size();
  for (const auto& kind : kinds) width = std::max(width, kind.name.size());
  const auto line = [&](const std::string& name, const std::string& count, double seconds, double own) {
    results.line(fmt::format("{:<{}} {:>6} {:>10} {:>6.1f} % {:>10} {:>6.1f} %", name, width, count, duration(seconds),
                             100 * seconds / times.seconds, duration(own), 100 * own / times.seconds));
  };
  results.line(fmt::format("{:<{}} {:>6} {:>10} {:>8} {:>10} {:>8}", "layer", width, "layers", "time", "share",
                           "its own", "share"));
  for (const auto& kind : kinds) line(kind.name, std::to_string(kind.count), kind.seconds, kind.own_seconds);
  line("in no layer", "", times.outside_seconds, times.outside_seconds);
}

Json as_json(const tasks::LayerTimes& times, const Subject& subject, const Options& options) {
  Json json = head_as_json(subject, options);
  json.update({{"runs", times.runs},
               {"seconds", times.seconds},
               {"outside_seconds", times.outside_seconds},
               {"layers", Json::array()}});
  for (const auto& layer : times.layers)
    json["layers"].push_back({{"name", layer.name},
                              {"seconds", layer.seconds},
                              {"own_seconds", layer.own_seconds},
                              {"share", layer.seconds / times.seconds}});
  return json;
}

}  // namespace

int profile(const Options& options) {
  for (const auto* path : {&options.trace, &options.plot})
    if (!path->empty()) check_place(*path);
  Results results(options.out);
  const auto source = model_source(options);
  const tasks::VisionModel model(source, precision_of(options, source));  // on the CPU, whose times are told
  keep_freed_memory();
  auto subject = choose_pixels(options, model);
  subject.precision = model.precision();
  ProgressLine progress("profile", "forwards", options.quiet);
  const tasks::ProfileOptions how = {
      .warm_ups = options.warm_ups, .runs = options.runs, .on_progress = [&](std::int64_t done, std::int64_t total) {
        progress.show(done, total);
      }};
  if (options.layers) {
    const auto times = tasks::time_layers(model, subject.pixels, how);
    progress.clear();
    options.json ? results.line(json_line(as_json(times, subject, options)))
                 : write_text(results, times, subject, options);
  } else {
    const auto profile = tasks::profile_forward(model, subject.pixels, how);
    progress.clear();
    const auto peak = stop_requested() ? Peak{} : measure_peak({.threads = at::get_num_threads()});
    write_files(profile, options);
    options.json ? results.line(json_line(as_json(profile, subject, peak, options)))
                 : write_text(results, profile, subject, peak, options);
  }
  results.close();
  return stop_requested() ? exit_interrupted : 0;
}

}  // namespace nunchi::cli
