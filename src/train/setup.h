// train/setup.h: the parts of a training as its recipe asks for them.
//
//   auto optimizer = optimizer_for(recipe, network);
//   const ScheduleOptions schedule = schedule_for(recipe, steps_per_epoch);
#pragma once

#include "train/network.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/trainer.h"

namespace nunchi::train {

// What options.resume says to go on from; nothing for a new training. Throws Error (usage) where the folder holds
// another recipe's training.
std::optional<TrainingState> state_to_resume(const Recipe& recipe, const TrainOptions& options);

std::unique_ptr<Optimizer> optimizer_for(const Recipe& recipe, const Network& network);
ScheduleOptions schedule_for(const Recipe& recipe, std::int64_t steps_per_epoch);

NamedTensors tensors_of(nn::Module& model);

// Where LibTorch's own operations (dropout, drop path) draw their chance from, by name.
std::vector<std::pair<std::string, at::Generator>> generators(at::Device device);

}  // namespace nunchi::train
