// train/training_state.h: all that a training needs to go on as if it had never stopped, in one safetensors file.
//
//   save_state(run, {.recipe = to_json(recipe), .position = position, .tensors = model_tensors});
//   if (auto state = load_state(run)) restore(model, state->part("model"));
//
// Two files take turns (state.0.safetensors, state.1.safetensors), each written under another name, flushed and
// renamed: at every moment, a power cut and a full disk included, at least the state before the last is whole.
#pragma once

#include <filesystem>
#include <map>
#include <optional>

#include "core/json.h"
#include "train/named_state.h"

namespace nunchi::train {

// Where a training stands. `batch` is the number of batches of this epoch that were used; all of them: the epoch only
// waits for its validation.
struct Position {
  std::int64_t epoch = 0, batch = 0, step = 0;
  bool operator==(const Position&) const = default;
};

// Sums over training pictures, of an epoch so far or since the last line of the log.
struct Sums {
  double loss = 0;
  std::int64_t hits = 0, pictures = 0, skipped = 0;  // skipped: could not be read

  double mean_loss() const { return pictures > 0 ? loss / static_cast<double>(pictures) : 0; }
  double accuracy() const { return pictures > 0 ? static_cast<double>(hits) / static_cast<double>(pictures) : 0; }
};

// What came out of one epoch.
struct EpochResult {
  std::int64_t epoch = 0;  // from 1
  double loss = 0, accuracy = 0;
  struct Validation {
    double loss = 0, top1 = 0, top5 = 0;
    std::int64_t pictures = 0, skipped = 0;
  };
  std::optional<Validation> validation;
};

struct TrainingState {
  Json recipe;
  Position position;
  Sums epoch_sums, line_sums;
  std::optional<EpochResult> last, best;
  double seconds = 0;                                // of training, over all its parts
  std::uint64_t journal_bytes = 0, event_bytes = 0;  // how far the logs tell of this state's past
  std::map<std::string, Tensor> tensors;             // "model/NAME", "optimizer/NAME", "ema/NAME", "random/NAME"

  void add(const std::string& part, const NamedTensors& tensors_of_part);
  // The tensors of a part under their names in it.
  std::map<std::string, Tensor> part(const std::string& name) const;
};

Json to_json(const EpochResult& result);

// Over the older of the two. Throws Error (input) where it cannot be written; the other state remains then.
void save_state(const std::filesystem::path& run, const TrainingState& state);

// The newest that is whole; nothing where there is none. Where one is damaged, that is logged and the other is taken.
// Throws Error (model) where none of those there is whole.
std::optional<TrainingState> load_state(const std::filesystem::path& run);

void remove_states(const std::filesystem::path& run);

}  // namespace nunchi::train
