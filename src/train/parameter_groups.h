// train/parameter_groups.h: which tensors of a model train, and how: with or without weight decay, at the full rate or
// at a fraction of it.
//
//   auto groups = train::parameter_groups(model, {.weight_decay = 0.05, .backbone_rate_scale = 0.1, .heads =
//   built.heads}); auto optimizer = train::make_optimizer({}, std::move(groups)); train::start_training(model);
#pragma once

#include "nn/module.h"

namespace nunchi::train {

struct ParameterGroup {
  std::string name;                // "head", "backbone", each with ", no decay" where that is so
  std::vector<std::string> names;  // of the tensors, as the model names them
  std::vector<Tensor> parameters;
  double weight_decay = 0;
  double rate_scale = 1;  // of the learning rate
};

struct GroupOptions {
  double weight_decay = 0.05;
  bool freeze_backbone = false;  // only the heads train
  double backbone_rate_scale = 1;
  std::vector<std::string> heads;  // models::Built::heads: modules, or single tensors, by their whole name
};

// Every tensor that trains, each in exactly one group; sets requires_grad on all of the module's parameters. Decay
// leaves out what is no matrix (norms, biases, scales) and what only stands for a place: tokens, positions, tables of
// relative ones. The weights must be in memory of their own (weights::thaw). Throws Error (usage) where nothing is left
// to train, or a head is not there.
std::vector<ParameterGroup> parameter_groups(nn::Module& model, const GroupOptions& options);

// Training mode, but parts whose parameters are all frozen stay as in inference: their batch norms keep the running
// statistics (in training mode these would move although nothing trains), and nothing is dropped. With
// `freeze_batch_norm` all batch norms keep theirs, and train their scale and shift alone.
void start_training(nn::Module& model, bool freeze_batch_norm = false);

}  // namespace nunchi::train
