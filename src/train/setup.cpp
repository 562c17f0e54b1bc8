#include "train/setup.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace nunchi::train {

std::optional<TrainingState> state_to_resume(const Recipe& recipe, const TrainOptions& options) {
  if (options.resume == Resume::never) remove_states(options.run);
  auto state = load_state(options.run);
  if (!state) {
    if (options.resume != Resume::required) return std::nullopt;
    throw Error(ErrorKind::usage, fmt::format("{}: there is no training to resume", options.run.string()));
  }
  const auto others = differences(recipe, recipe_from_json(state->recipe, options.run.string()));
  if (others.empty()) return state;
  throw Error(ErrorKind::usage,
              fmt::format("{}: holds a training of another recipe ({}); name another folder, or start anew with "
                          "--restart",
                          options.run.string(), fmt::join(others, "; ")));
}

std::unique_ptr<Optimizer> optimizer_for(const Recipe& recipe, const Network& network) {
  const auto& o = recipe.optimizer;
  auto groups = parameter_groups(*network.model, {.weight_decay = o.weight_decay,
                                                  .freeze_backbone = recipe.model.freeze_backbone,
                                                  .backbone_rate_scale = recipe.model.backbone_rate_scale,
                                                  .heads = network.heads});
  return make_optimizer({.kind = optimizer_kind_from_name(o.kind),
                         .beta1 = o.beta1,
                         .beta2 = o.beta2,
                         .eps = o.eps,
                         .momentum = o.momentum,
                         .nesterov = o.nesterov},
                        std::move(groups));
}

ScheduleOptions schedule_for(const Recipe& recipe, std::int64_t steps_per_epoch) {
  const auto steps = [&](double epochs) { return std::llround(epochs * static_cast<double>(steps_per_epoch)); };
  const auto& s = recipe.schedule;
  return {.peak = recipe.optimizer.learning_rate,
          .warmup_steps = steps(s.warmup_epochs),
          .total_steps = s.epochs * steps_per_epoch,
          .final_rate = s.final_rate,
          .kind = schedule_kind_from_name(s.kind),
          .step_every = std::max<std::int64_t>(1, steps(s.step_epochs)),
          .step_factor = s.step_factor};
}

NamedTensors tensors_of(nn::Module& model) {
  NamedTensors all;
  for (const auto& [name, slot] : model.tensors()) all.emplace_back(name, *slot->tensor);
  return all;
}

std::vector<std::pair<std::string, at::Generator>> generators(at::Device device) {
  std::vector<std::pair<std::string, at::Generator>> all = {{"cpu", at::detail::getDefaultCPUGenerator()}};
  if (!device.is_cpu()) all.emplace_back("device", at::globalContext().defaultGenerator(device));
  return all;
}

}  // namespace nunchi::train
