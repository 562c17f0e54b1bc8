// The option table of `train`.
#include <algorithm>

#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

constexpr const char* footer =
    "RECIPE is a YAML file of sections and fields; a word SECTION.FIELD=VALUE counts more than the file. The fields,\n"
    "with their defaults, stand in the recipe.yaml that every run writes. Examples:\n"
    "  nunchi train recipes/mnist-vit.yaml\n"
    "  nunchi train recipes/cifar10-vit.yaml -o runs/first optimizer.learning_rate=5e-4 schedule.epochs=20\n"
    "  nunchi train recipes/finetune-mobilenet-v2.yaml data.path=pets model.freeze_backbone=true\n"
    "  nunchi train my.yaml model.arch=timm/resnet18 model.arguments.in_chans=3\n"
    "The run's folder holds model (the best by validation) and last, which nunchi, timm or transformers read,\n"
    "the logs (journal.jsonl, curve.png, a TensorBoard file), and the state: after Ctrl-C, a crash or a full disk\n"
    "the same line goes on from there, with the same result as without the break. Exit codes: 0 done; 1 data, disk,\n"
    "or a loss that is no number; 2 wrong usage, another recipe's folder included; 3 the model cannot be loaded;\n"
    "130 stopped.";

}  // namespace

void add_train(CLI::App& app, Options& o) {
  auto* command = add(app, o, "train", "train a model, from scratch or from a checkpoint");
  command->add_option("RECIPE", o.inputs, "a .yaml file, then fields to change")
      ->required()
      ->type_name("RECIPE [FIELD=VALUE...]");
  command->add_option("-o,--out", o.out, "the run's folder (default: runs/NAME of the recipe)");
  add_device(*command, o, Devices::all);
  auto* resume = command->add_flag("--resume", o.resume, "refuse to start where there is nothing to go on from");
  command->add_flag("--restart", o.restart, "throw away the training that the folder holds")->excludes(resume);
  command->add_flag("--json", o.json, "the result as one JSON object");
  command->footer(footer);
}

}  // namespace nunchi::cli
