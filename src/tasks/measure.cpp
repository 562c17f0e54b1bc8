#include "tasks/measure.h"

#include <algorithm>

#include "core/child_process.h"
#include "core/interrupt.h"
#include "core/memory.h"
#include "core/timing.h"
#include "tasks/info.h"
#include "tasks/json_from_child.h"

namespace nunchi::tasks {
namespace {

// --- in the child

Json as_json(const Prediction& answer) {
  return {{"id", answer.id}, {"label", answer.label}, {"probability", answer.probability}};
}

class Measuring {
 public:
  Measuring(const ModelSource& source, std::optional<nn::Precision> precision, const MeasureOptions& options)
      : options_(options), start_(Clock::now()), model_(source, precision) {
    json_ = {{"type", model_.type()}, {"parameters", model_.parameters()}, {"load_seconds", seconds_since(start_)}};
    json_["weight_bytes"] = describe_model(source).weight_bytes;
    json_["pictures"] = Json::array();
    json_["seconds"] = Json::array();
    json_["stopped"] = false;
    keep_freed_memory();
  }

  Json run(const std::vector<std::filesystem::path>& paths) {
    std::vector<Tensor> inputs;  // kept where they are answered again
    const bool again = std::cmp_less(paths.size(), options_.rounds_until);
    for (std::size_t i = 0; i < paths.size() && !stopped(); ++i) {
      const auto input = answer(paths[i]);
      if (again && input.defined()) inputs.push_back(input);
      if (options_.progress)
        options_.progress(static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(paths.size()));
    }
    while (!inputs.empty() && std::cmp_less(json_["seconds"].size(), options_.rounds_until) && !stopped())
      for (const auto& input : inputs) forward(input);
    return json_;
  }

 private:
  bool stopped() {
    if (stop_requested()) json_["stopped"] = true;
    return stop_requested();
  }

  models::ModelOutput forward(const Tensor& input) {
    const auto begin = Clock::now();
    auto output = model_.forward(input);
    json_["seconds"].push_back(seconds_since(begin));
    return output;
  }

  Tensor answer(const std::filesystem::path& path) {
    try {
      const auto& transform = model_.transform();
      const auto decode = image::decoding_for(transform, options_.decode);
      const Tensor input = as_batch(image::apply(transform, image::read_picture(path, decode)));
      if (json_["seconds"].empty()) model_.forward(input);
      const auto output = forward(input);
      Json picture = Json::object();
      if (output.logits.defined() && model_.network().classes() > 0)
        picture["answer"] = as_json(top_predictions(model_, output.logits, 1).front().front());
      json_["pictures"].push_back(picture);
      return input;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      json_["pictures"].push_back({{"error", error.what()}});
      return {};
    }
  }

  const MeasureOptions& options_;
  const Clock::time_point start_;
  const VisionModel model_;
  Json json_;
};

// --- in the parent

Measurement read(const Json& json) {
  Measurement result;
  if (json.contains("error")) {
    result.error = json["error"].get<std::string>();
    result.error_kind = static_cast<ErrorKind>(json["kind"].get<int>());
    return result;
  }
  result.type = json["type"].get<std::string>();
  result.parameters = json["parameters"].get<std::int64_t>();
  result.weight_bytes = json["weight_bytes"].get<std::uint64_t>();
  result.load_seconds = json["load_seconds"].get<double>();
  result.seconds = json["seconds"].get<std::vector<double>>();
  result.stopped = json["stopped"].get<bool>();
  for (const auto& picture : json["pictures"]) {
    auto& measured = result.pictures.emplace_back();
    measured.error = get_or<std::string>(picture, "error", "");
    if (const auto answer = picture.find("answer"); answer != picture.end())
      measured.answer = {(*answer)["id"].get<std::int64_t>(), (*answer)["label"].get<std::string>(),
                         (*answer)["probability"].get<float>()};
  }
  return result;
}

}  // namespace

double Measurement::least_seconds() const { return seconds.empty() ? 0 : std::ranges::min(seconds); }

double Measurement::median_seconds() const { return median(seconds); }

Measurement measure(const ModelSource& source, std::optional<nn::Precision> precision,
                    const std::vector<std::filesystem::path>& pictures, const MeasureOptions& options) {
  const auto child = json_from_child([&] { return Measuring(source, precision, options).run(pictures); });
  auto result = read(child.json);
  result.peak_memory = child.peak_memory;
  return result;
}

std::uint64_t memory_without_model() {
  return run_in_child([] { return std::string(); }).peak_memory;
}

}  // namespace nunchi::tasks
