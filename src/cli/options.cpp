#include "cli/options.h"

namespace nunchi::cli {
namespace {

constexpr const char* footer =
    "MODEL is a folder as transformers writes it (config.json, model.safetensors, preprocessor_config.json),\n"
    "or a .safetensors file with --arch. INPUT is a picture, a folder or a glob.\n"
    "Exit codes: 0 done; 1 some inputs failed, the rest are done; 2 wrong usage; 3 the model cannot be loaded;\n"
    "130 stopped by Ctrl-C, what was done is kept.";

void add_general(CLI::App& command, Options& o) {
  command.add_flag("-q,--quiet", o.quiet, "no progress and no remarks");
  command.add_flag("-v,--verbose", o.verbose, "more remarks");
  command.add_option("--threads", o.threads, "threads for the network (default: all cores)")->check(CLI::Range(1, 4096));
}

void add_model(CLI::App& command, Options& o) {
  command.add_option("-m,--model", o.model, "the model, wherever it stands on the line");
  command.add_option("--precision", o.precision, "fp32 or bf16")->capture_default_str();
  command.add_option("--device", o.device, "auto or cpu")->capture_default_str();
  command.add_option("--arch", o.arch, "a preset's name (nunchi models), for a .safetensors file without config.json");
}

void add_inputs(CLI::App& command, Options& o, const char* names) {
  command.add_option("MODEL_AND_INPUTS", o.inputs, "MODEL, then pictures, folders or globs")->type_name(names);
  command.add_option("--batch", o.batch, "pictures per forward")->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_flag("-r,--recursive", o.recursive, "folders with all that is below them");
  command.add_flag("--no-exif", o.no_exif, "do not turn pictures as their EXIF orientation says");
  command.add_option("--max-pixels", o.max_pixels, "refuse larger pictures")->check(CLI::Range(1LL, 1LL << 40))->capture_default_str();
}

CLI::App* add(CLI::App& app, Options& o, const std::string& name, const std::string& description) {
  auto* command = app.add_subcommand(name, description);
  command->callback([&o, name] { o.command = name; });
  add_general(*command, o);
  return command;
}

void add_classify(CLI::App& app, Options& o) {
  auto* command = add(app, o, "classify", "name what is in pictures");
  add_model(*command, o);
  add_inputs(*command, o, "MODEL INPUT...");
  command->add_option("-k,--top", o.top, "answers per picture (default: 5 for one picture, 1 for several)")->check(CLI::Range(1, 100000));
  auto* json = command->add_flag("--json", o.json, "JSON lines");
  command->add_flag("--csv", o.csv, "comma-separated values")->excludes(json);
  command->add_option("-o,--out", o.out, "write to this file instead of standard output");
}

void add_embed(CLI::App& app, Options& o) {
  auto* command = add(app, o, "embed", "turn pictures into vectors");
  add_model(*command, o);
  add_inputs(*command, o, "MODEL INPUT...");
  command->add_option("--pool", o.pool, "cls, mean or grid (one vector per patch)")->capture_default_str();
  command->add_flag("--json", o.json, "JSON lines (the default without -o)");
  command->add_option("-o,--out", o.out, "write to this file: .npy, .safetensors or .jsonl");
}

void add_similar(CLI::App& app, Options& o) {
  auto* command = add(app, o, "similar", "how alike pictures are: a matrix of cosines");
  add_model(*command, o);
  add_inputs(*command, o, "MODEL A B...");
  command->add_option("--pool", o.pool, "cls or mean")->capture_default_str();
  command->add_flag("--json", o.json, "one JSON object");
  command->add_option("-o,--out", o.out, "write to this file instead of standard output");
}

void add_forward(CLI::App& app, Options& o) {
  auto* command = add(app, o, "forward", "run the bare network and write every output tensor");
  add_model(*command, o);
  command->add_option("MODEL", o.inputs, "the model")->type_name("MODEL");
  command->add_option("--image", o.images, "the picture")->required()->expected(1);
  command->add_option("--size", o.size, "HEIGHTxWIDTH instead of the checkpoint's own size");
  command->add_option("-o,--out", o.out, "the .safetensors file to write")->required();
}

void add_parity(CLI::App& app, Options& o) {
  auto* command = add(app, o, "parity", "compare with what a Python peer computed, stage by stage");
  command->add_option("CASE", o.inputs, "case folders, or folders of them")->required()->type_name("CASE...");
  command->add_option("--precision", o.precision, "fp32 or bf16")->capture_default_str();
  command->add_flag("--json", o.json, "JSON lines");
}

void add_inspection(CLI::App& app, Options& o) {
  auto* info = add(app, o, "info", "what a model is: size, cost, transform, labels");
  add_model(*info, o);
  info->add_option("MODEL", o.inputs, "the model")->type_name("MODEL");
  info->add_flag("--json", o.json, "one JSON object");

  auto* walk = add(app, o, "walk", "the way of a picture through a model, with every shape");
  add_model(*walk, o);
  add_inputs(*walk, o, "MODEL IMAGE");

  auto* models = add(app, o, "models", "the architectures and presets that nunchi knows");
  models->add_flag("--json", o.json, "JSON lines");
  auto* doctor = add(app, o, "doctor", "check this machine, with a remedy for each lack");
  doctor->add_flag("--json", o.json, "one JSON object");
  add(app, o, "version", "versions of nunchi, compiler and LibTorch; instruction sets; devices");
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Options& options) {
  auto app = std::make_unique<CLI::App>("nunchi: vision transformers, native. Classifies, embeds and compares pictures with the "
                                        "checkpoints you have.",
                                        "nunchi");
  app->require_subcommand(1);
  app->footer(footer);
  add_classify(*app, options);
  add_embed(*app, options);
  add_similar(*app, options);
  add_forward(*app, options);
  add_parity(*app, options);
  add_inspection(*app, options);
  auto* completion = app->add_subcommand("completion", "print a completion script: bash, zsh or fish");
  completion->callback([&options] { options.command = "completion"; });
  completion->add_option("SHELL", options.inputs, "bash, zsh or fish")->required()->expected(1);
  return app;
}

void settle_model(Options& options) {
  const bool takes_model = options.command != "parity" && options.command != "completion";
  if (!takes_model || !options.model.empty() || options.inputs.empty()) return;
  options.model = options.inputs.front();
  options.inputs.erase(options.inputs.begin());
}

}  // namespace nunchi::cli
