#include "train/training_state.h"

#include <fmt/format.h>

#include <array>

#include "core/log.h"
#include "formats/safetensors.h"
#include "weights/checkpoint.h"

namespace nunchi::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* metadata_field = "nunchi_training";

std::array<fs::path, 2> state_files(const fs::path& run) {
  return {run / "state.0.safetensors", run / "state.1.safetensors"};
}

// --- numbers as JSON: doubles are written so that they read back as the same bits

Json to_json(const Sums& sums) {
  return {{"loss", sums.loss}, {"hits", sums.hits}, {"pictures", sums.pictures}, {"skipped", sums.skipped}};
}

Sums sums_from(const Json& json) {
  return {
      .loss = json.at("loss"), .hits = json.at("hits"), .pictures = json.at("pictures"), .skipped = json.at("skipped")};
}

Json to_json(const std::optional<EpochResult>& result) { return result ? train::to_json(*result) : Json(); }

std::optional<EpochResult> result_from(const Json& json) {
  if (json.is_null()) return std::nullopt;
  EpochResult result{
      .epoch = json.at("epoch"), .loss = json.at("loss"), .accuracy = json.at("accuracy"), .validation = {}};
  if (const auto found = json.find("validation"); found != json.end()) {
    result.validation = {.loss = found->at("loss"),
                         .top1 = found->at("top1"),
                         .top5 = found->at("top5"),
                         .pictures = found->at("pictures"),
                         .skipped = found->at("skipped")};
  }
  return result;
}

Json numbers_of(const TrainingState& state) {
  return {{"recipe", state.recipe},
          {"epoch", state.position.epoch},
          {"batch", state.position.batch},
          {"step", state.position.step},
          {"epoch_sums", to_json(state.epoch_sums)},
          {"line_sums", to_json(state.line_sums)},
          {"last", to_json(state.last)},
          {"best", to_json(state.best)},
          {"seconds", state.seconds},
          {"journal_bytes", state.journal_bytes},
          {"event_bytes", state.event_bytes}};
}

Json read_numbers(const fs::path& path, const formats::Metadata& metadata) {
  const auto found = metadata.find(metadata_field);
  if (found == metadata.end())
    throw Error(ErrorKind::model,
                fmt::format("{}: expected the state of a training, found other tensors", path.string()));
  return parse_json(found->second, path.string());
}

TrainingState read_state(const fs::path& path) try {
  const auto files = formats::open_weights(path, Access::sequential);
  const Json json = read_numbers(path, files.metadata());
  TrainingState state{.recipe = json.at("recipe"),
                      .position = {json.at("epoch"), json.at("batch"), json.at("step")},
                      .epoch_sums = sums_from(json.at("epoch_sums")),
                      .line_sums = sums_from(json.at("line_sums")),
                      .last = result_from(json.at("last")),
                      .best = result_from(json.at("best")),
                      .seconds = json.at("seconds"),
                      .journal_bytes = json.at("journal_bytes"),
                      .event_bytes = json.at("event_bytes"),
                      .tensors = {}};
  for (const auto& name : files.names()) state.tensors[name] = weights::tensor_of(files, name).clone();
  files.check();
  return state;
} catch (const nlohmann::json::exception& error) {
  throw Error(ErrorKind::model,
              fmt::format("{}: the state of the training is damaged: {}", path.string(), error.what()));
}

// How far the state in this file is; -1 where there is none that can be read.
std::int64_t step_in(const fs::path& path) {
  try {
    if (!fs::exists(path)) return -1;
    return read_numbers(path, formats::SafetensorsFile::open(path).metadata()).at("step");
  } catch (const std::exception&) {
    return -1;
  }
}

}  // namespace

Json to_json(const EpochResult& result) {
  Json json = {{"epoch", result.epoch}, {"loss", result.loss}, {"accuracy", result.accuracy}};
  if (const auto& v = result.validation) {
    json["validation"] = {
        {"loss", v->loss}, {"top1", v->top1}, {"top5", v->top5}, {"pictures", v->pictures}, {"skipped", v->skipped}};
  }
  return json;
}

void TrainingState::add(const std::string& part, const NamedTensors& tensors_of_part) {
  for (const auto& [name, tensor] : tensors_of_part) tensors[fmt::format("{}/{}", part, name)] = tensor;
}

std::map<std::string, Tensor> TrainingState::part(const std::string& name) const {
  std::map<std::string, Tensor> found;
  const auto begin = fmt::format("{}/", name);
  for (const auto& [full, tensor] : tensors)
    if (full.starts_with(begin)) found[full.substr(begin.size())] = tensor;
  return found;
}

void save_state(const fs::path& run, const TrainingState& state) {
  std::vector<Tensor> kept;
  std::vector<formats::TensorView> views;
  for (const auto& [name, tensor] : state.tensors) {
    kept.push_back(tensor.detach().cpu().contiguous());
    views.push_back(weights::view_of(name, kept.back()));
  }
  const auto files = state_files(run);
  const auto& older = step_in(files[0]) <= step_in(files[1]) ? files[0] : files[1];
  formats::write_safetensors(older, std::move(views), {{metadata_field, numbers_of(state).dump()}});
}

std::optional<TrainingState> load_state(const fs::path& run) {
  auto files = state_files(run);
  if (step_in(files[1]) > step_in(files[0])) std::swap(files[0], files[1]);
  std::string damage;
  for (const auto& file : files) {
    if (!fs::exists(file)) continue;
    try {
      auto state = read_state(file);
      if (!damage.empty()) log(LogLevel::warning, fmt::format("{}; going on from {}", damage, file.string()));
      return state;
    } catch (const Error& error) {
      damage = error.what();
    }
  }
  if (damage.empty()) return std::nullopt;
  throw Error(ErrorKind::model, damage);
}

void remove_states(const fs::path& run) {
  for (const auto& file : state_files(run)) fs::remove(file);
}

}  // namespace nunchi::train
