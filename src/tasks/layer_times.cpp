#include "tasks/layer_times.h"

#include <algorithm>
#include <map>

#include "core/interrupt.h"
#include "nn/watch.h"

namespace nunchi::tasks {
namespace {

constexpr double nanosecond = 1e-9;
constexpr const char* mark = "a layer is done";  // the name of an empty slice

// A forward, and the layers in the order in which they were done: as many as it has marks.
struct Watched {
  ops::Recording forward;
  std::vector<std::string> done;
};

Watched watch(const VisionModel& model, const Tensor& pixels) {
  Watched watched;
  ops::Recorder recorder;
  {
    const nn::Watch watch(model.network(), [&](const std::string& layer, const Tensor& y) {
      const ops::OpScope empty(mark, {});
      watched.done.push_back(layer);
      return y;
    });
    models::ModelOutput output;
    const ops::OpScope forward("forward", {&pixels});
    output = model.forward(pixels);
  }
  watched.forward = recorder.take();
  return watched;
}

// The own times of the layers, summed over all runs. The name of no layer is empty.
class OwnTimes {
 public:
  explicit OwnTimes(const std::vector<nn::Module::NamedLayer>& layers) {
    for (const auto& layer : layers) seconds_[layer.name] = 0;
    seconds_[""] = 0;
  }

  void add(const Watched& watched) {
    const auto& slices = watched.forward.slices;
    auto last = slices.front().begin;
    auto layer = watched.done.begin();
    const ops::Slice* op = nullptr;  // the last one since then
    for (const auto& slice : slices) {
      if (slice.parent != 0) continue;
      if (slice.name != mark) {
        if (slice.is_op) op = &slice;
        continue;
      }
      const auto around = layer_around(*layer);
      const auto begin = op != nullptr && !has_inner(*layer) && !around.empty() ? op->begin : last;
      add_to(around, begin - last);
      add_to(*layer++, slice.begin - begin);
      last = slice.begin;
      op = nullptr;
    }
    add_to("", slices.front().end - last);
  }

  double of(const std::string& layer) const { return seconds_.at(layer); }

  double inside(const std::string& layer) const {
    double sum = of(layer);
    for (auto it = first_inner(layer); is_inner(it, layer); ++it) sum += it->second;
    return sum;
  }

 private:
  using Seconds = std::map<std::string, double>;

  void add_to(const std::string& layer, std::int64_t nanoseconds) {
    seconds_[layer] += nanosecond * static_cast<double>(nanoseconds);
  }

  Seconds::const_iterator first_inner(const std::string& layer) const { return seconds_.lower_bound(layer + "."); }
  bool is_inner(Seconds::const_iterator it, const std::string& layer) const {
    return it != seconds_.end() && it->first.starts_with(layer + ".");
  }
  bool has_inner(const std::string& layer) const { return is_inner(first_inner(layer), layer); }

  std::string layer_around(const std::string& layer) const {
    auto name = layer;
    do {
      const auto dot = name.rfind('.');
      name.resize(dot == std::string::npos ? 0 : dot);
    } while (!name.empty() && !seconds_.contains(name));
    return name;
  }

  Seconds seconds_;
};

}  // namespace

LayerTimes time_layers(const VisionModel& model, const Tensor& pixels, const ProfileOptions& options) {
  warm_up(model, pixels, options);
  const auto layers = model.network().layers();
  OwnTimes own(layers);
  LayerTimes times;
  for (; times.runs < options.runs && !stop_requested(); ++times.runs) {
    options.on_progress(options.warm_ups + times.runs, options.warm_ups + options.runs);
    const auto watched = watch(model, pixels);
    own.add(watched);
    times.seconds += nanosecond * static_cast<double>(watched.forward.slices.front().duration());
  }
  if (times.runs == 0) throw_if_stopped();
  const auto count = static_cast<double>(times.runs);
  times.seconds /= count;
  times.outside_seconds = own.of("") / count;
  for (const auto& layer : layers) {
    const double seconds = own.inside(layer.name) / count;
    if (seconds > 0)
      times.layers.push_back({.name = layer.name, .seconds = seconds, .own_seconds = own.of(layer.name) / count});
  }
  return times;
}

}  // namespace nunchi::tasks
