// train/trainer.h: a recipe from its first step to a folder with the trained model.
//
//   const auto result = train(recipe, {.run = "runs/cifar10", .on_step = show});
//   result.stopped;   // by the user: the same call goes on from there, bit for bit
//   result.best->validation->top1;
//
// RUN holds recipe.yaml (complete), model/ (the best by validation), last/ (after the last epoch), journal.jsonl,
// events.out.tfevents.nunchi, and the state of the training. It stops between steps once a stop is requested
// (core/interrupt.h), and saves then.
#pragma once

#include <filesystem>
#include <functional>

#include "train/recipe.h"
#include "train/training_state.h"

namespace nunchi::train {

// How far it is, after each step.
struct StepReport {
  Position position;
  std::int64_t epochs = 0, steps = 0;  // of the whole training
  std::int64_t done = 0, total = 0;    // pictures, over all epochs
  Sums epoch;                          // of this epoch so far
};

enum class Resume {
  when_there,  // goes on where the folder holds a state of this recipe; refuses another recipe's
  required,    // refuses a folder without state, too
  never,       // throws away what is there
};

struct TrainOptions {
  std::filesystem::path run;
  at::Device device = at::kCPU;
  Resume resume = Resume::when_there;
  std::function<void(const StepReport&)> on_step = [](const StepReport&) {};
  std::function<void(const EpochResult&)> on_epoch = [](const EpochResult&) {};
  std::function<void(const std::string&)> on_remark = [](const std::string&) {
  };  // once each: what a person should know
};

struct TrainResult {
  bool stopped = false;
  Position position;
  std::optional<EpochResult> last, best;  // best: none without validation
  double seconds = 0;
};

// Throws Error: usage for what the recipe asks and cannot be, another recipe's folder included; input for data that
// cannot be read, a full disk (the last good state remains), a folder that another training uses, and a loss that is no
// number: the batch is kept then in RUN/bad-batch-step-N.safetensors (indices, pixels, labels).
TrainResult train(const Recipe& recipe, const TrainOptions& options);

}  // namespace nunchi::train
