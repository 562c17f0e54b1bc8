#include "cli/options_groups.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <filesystem>

namespace nunchi::cli {
namespace {

constexpr const char* footer =
    "MODEL is a folder as transformers or timm writes it (config.json and weights), a file of weights\n"
    "(.safetensors, .pth) with --arch, or a name on the hub (google/vit-base-patch16-224). Where pictures come first, "
    "the\n"
    "model that is part of nunchi is used. INPUT is a picture, a folder or a glob.\n"
    "Exit codes: 0 done; 1 some inputs failed, the rest are done; 2 wrong usage; 3 the model cannot be loaded;\n"
    "130 stopped by Ctrl-C, what was done is kept.";

// What is wrong with a value, empty where nothing is. They are told here, and not where the value is used, so that a
// usage error is answered before LibTorch is loaded.
std::string check_precision(const std::string& name) {
  if (name == "fp32" || name == "bf16" || name == "int8" || name == "auto") return "";
  return name + ": not known; known are fp32, bf16, int8 and auto";
}

std::string check_device(const std::string& name) {
  const bool numbered = name.starts_with("cuda:") && name.size() > 5 && name.size() < 9 &&
                        std::all_of(name.begin() + 5, name.end(), [](char c) { return c >= '0' && c <= '9'; });
  return name == "auto" || name == "cpu" || name == "cuda" || numbered ? ""
                                                                       : name + ": expected auto, cpu, cuda or cuda:N";
}

std::string check_cpu(const std::string& name) {
  return name == "auto" || name == "cpu" ? "" : name + ": this command runs on the CPU; use auto or cpu";
}

std::string check_embeddings_file(const std::string& name) {
  const auto kind = std::filesystem::path(name).extension();
  return kind == ".npy" || kind == ".safetensors" || kind == ".jsonl"
             ? ""
             : name + ": expected a name ending in .npy, .safetensors or .jsonl";
}

}  // namespace

std::string check_picture_name(const std::string& name) {
  const bool known = name.ends_with(".png") || name.ends_with(".svg") || name.ends_with(".pdf");
  return known ? "" : name + ": expected a name ending in .png, .svg or .pdf";
}

std::string check_page_or_picture_name(const std::string& name) {
  return check_picture_name(name).empty() || name.ends_with(".html")
             ? ""
             : name + ": expected a name ending in .png, .svg, .pdf or .html";
}

CLI::Validator one_of(const std::vector<std::string>& names, const std::string& in_words) {
  return {[=](const std::string& name) {
            return std::find(names.begin(), names.end(), name) != names.end()
                       ? ""
                       : name + ": not known; known are " + in_words;
          },
          ""};
}

namespace {

PictureSize parse_size(const std::string& text) {
  PictureSize size;
  const char* end = text.data() + text.size();
  const auto height = std::from_chars(text.data(), end, size.height);
  const bool separated = height.ec == std::errc() && height.ptr != end && (*height.ptr == 'x' || *height.ptr == 'X');
  const auto width = separated ? std::from_chars(height.ptr + 1, end, size.width) : height;
  if (!separated || width.ec != std::errc() || width.ptr != end || size.height < 1 || size.width < 1) {
    throw CLI::ValidationError("--size", text + ": expected HEIGHTxWIDTH, such as 224x320");
  }
  return size;
}

void add_general(CLI::App& command, Options& o) {
  command.add_flag("-q,--quiet", o.quiet, "no progress and no remarks");
  command.add_flag("-v,--verbose", o.verbose, "more remarks");
  command.add_option("--threads", o.threads, "threads for the network (default: all cores)")
      ->check(CLI::Range(1, 4096));
}

}  // namespace

void add_bare_model(CLI::App& command, Options& o, const char* help) {
  command.add_option("MODEL", o.inputs, help)->type_name("MODEL");
  command.add_option("-m,--model", o.model, "the same, wherever it stands on the line");
  command.add_option("--arch", o.arch, "the architecture's name (nunchi models), for weights without config.json");
}

void add_device(CLI::App& command, Options& o, Devices devices) {
  const bool all = devices == Devices::all;
  command
      .add_option(
          "--device", o.device,
          all ? "auto (a GPU where there is one), cpu, cuda or cuda:N" : "auto or cpu: this command runs on the CPU")
      ->check(CLI::Validator(all ? check_device : check_cpu, ""))
      ->capture_default_str();
}

void add_model(CLI::App& command, Options& o, Devices devices) {
  command.add_option("-m,--model", o.model, "the model, wherever it stands on the line");
  command
      .add_option("--precision", o.precision,
                  "fp32, bf16, int8, or auto: what is fastest here (default: as the model is stored, fp32 or int8)")
      ->check(CLI::Validator(check_precision, ""));
  add_device(command, o, devices);
  command.add_option("--arch", o.arch, "the architecture's name (nunchi models), for weights without config.json");
  command.add_option("--classes", o.classes, "a new, untrained head of so many classes; 0: the backbone alone")
      ->check(CLI::Range(0, 1 << 20));
}

void add_inputs(CLI::App& command, Options& o, const char* names) {
  command.add_option("MODEL_AND_INPUTS", o.inputs, "MODEL, then pictures, folders or globs")->type_name(names);
  command.add_option("--batch", o.batch, "pictures per forward")->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_flag("-r,--recursive", o.recursive, "folders with all that is below them");
  add_reading(command, o);
}

void add_size(CLI::App& command, Options& o) {
  command.add_option_function<std::string>(
      "--size", [&o](const std::string& text) { o.size = parse_size(text); },
      "HEIGHTxWIDTH instead of the checkpoint's own size");
}

void add_language(CLI::App& command, Options& o) {
  const auto take = [&o](const std::string& name) {
    o.language = name == "ko" ? draw::Language::korean : draw::Language::english;
  };
  command.add_option_function<std::string>("--language", take, "of the page and the figures: en or ko")
      ->check(one_of({"en", "ko"}, "en and ko"))
      ->type_name("LANGUAGE")
      ->default_str("en");
}

CLI::Option* add_dark(CLI::App& command, Options& o) {
  return command.add_flag("--dark", o.dark, "draw figures on dark paper (a page is as its reader's system is)");
}

void add_reading(CLI::App& command, Options& o) {
  command.add_flag("--no-exif", o.no_exif, "do not turn pictures as their EXIF orientation says");
  command.add_option("--max-pixels", o.max_pixels, "refuse larger pictures")
      ->check(CLI::Range(1LL, 1LL << 40))
      ->capture_default_str();
}

CLI::App* add(CLI::App& app, Options& o, const std::string& name, const std::string& description) {
  auto* command = app.add_subcommand(name, description);
  command->callback([&o, name] { o.command = name; });
  add_general(*command, o);
  return command;
}

namespace {

void add_embed(CLI::App& app, Options& o) {
  auto* command = add(app, o, "embed", "turn pictures into vectors");
  add_model(*command, o, Devices::all);
  add_inputs(*command, o, "MODEL INPUT...");
  add_size(*command, o);
  command
      ->add_option(
          "--pool", o.pools,
          "cls, mean, pooled (the classifier's input), grid (one vector per patch) or registers (one per token); "
          "several, separated by commas")
      ->delimiter(',')
      ->check(one_of({"cls", "mean", "pooled", "grid", "registers"}, "cls, mean, pooled, grid and registers"))
      ->capture_default_str();
  command->add_flag("--json", o.json, "JSON lines (the default without -o)");
  command
      ->add_option(
          "-o,--out", o.out,
          "write to this file: .npy (and the names of the pictures to FILE.files.json), .safetensors or .jsonl")
      ->check(CLI::Validator(check_embeddings_file, ""));
}

void add_similar(CLI::App& app, Options& o) {
  auto* command = add(app, o, "similar", "how alike pictures are: a matrix of cosines, or the nearest of a folder");
  add_model(*command, o, Devices::all);
  add_inputs(*command, o, "MODEL A B...");
  add_size(*command, o);
  command->add_option("--pool", o.pool, "cls, mean or pooled (the classifier's input)")
      ->check(one_of({"cls", "mean", "pooled"}, "cls, mean and pooled"))
      ->capture_default_str();
  auto* among = command
                    ->add_option("--among", o.among,
                                 "search this folder for what is most like each picture; where folders are classes, "
                                 "precision@k and mAP are told")
                    ->type_name("FOLDER");
  command->add_option("--k", o.k, "so many (default: 5)")->check(CLI::Range(1, 100'000))->needs(among);
  add_dark(*command, o)->needs(among);
  command->add_flag("--json", o.json, "one JSON object; with --among one a picture");
  command->add_option("-o,--out", o.out,
                      "write to this file instead of standard output; with --among .png, .svg or .pdf draws what is "
                      "found");
  command->footer(
      "Examples:\n"
      "  nunchi similar facebook/dinov2-small a.jpg b.jpg c.jpg\n"
      "  nunchi similar facebook/dinov2-small cat.jpg --among photos/ -r --k 10 -o like-my-cat.png");
}

void add_forward(CLI::App& app, Options& o) {
  auto* command = add(app, o, "forward", "run the bare network and write every output tensor");
  add_model(*command, o, Devices::all);
  command->add_option("MODEL", o.inputs, "the model")->type_name("MODEL");
  command->add_option("--image", o.images, "the picture")->required()->expected(1);
  add_size(*command, o);
  command->add_option("-o,--out", o.out, "the .safetensors file to write")->required();
}

void add_convert(CLI::App& app, Options& o) {
  auto* command = add(app, o, "convert", "write a checkpoint again: other names, another file format, another dtype");
  add_model(*command, o);
  command->add_option("MODEL", o.inputs, "the model")->type_name("MODEL");
  command->add_option("--as", o.layout, "hf (transformers), timm, or safetensors: the same names in that format")
      ->required()
      ->check(one_of({"hf", "timm", "safetensors"}, "hf, timm and safetensors"));
  command
      ->add_option("--dtype", o.dtype,
                   "of the weights: fp32, fp16 or bf16 (default: fp32; with safetensors as they are)")
      ->check(one_of({"fp32", "fp16", "bf16"}, "fp32, fp16 and bf16"));
  command->add_option("-o,--out", o.out, "the folder to make")->required();
}

void add_parity(CLI::App& app, Options& o) {
  auto* command = add(app, o, "parity", "compare with what a Python peer computed, stage by stage");
  command->add_option("CASE", o.inputs, "case folders, or folders of them")->type_name("CASE...");
  auto* published = command
                        ->add_option("--published", o.published,
                                     "public checkpoints (org/name): compare with what their publishers' tests expect")
                        ->type_name("NAME...");
  auto* image = command->add_option("--image", o.images, "the picture of those tests: COCO's 000000039769")
                    ->expected(1)
                    ->needs(published);
  published->needs(image);
  command->add_option("--figures", o.figures, "a table of expected figures instead of nunchi's own")->needs(published);
  command->add_option("--precision", o.precision, "fp32 (the default), bf16 or int8")
      ->check(one_of({"fp32", "bf16", "int8"}, "fp32, bf16 and int8"));
  add_device(*command, o, Devices::all);
  command->add_flag("--json", o.json, "JSON lines");
}

void add_inspection(CLI::App& app, Options& o) {
  auto* info = add(app, o, "info", "what a model is: size, cost, transform, classes");
  add_model(*info, o);
  info->add_option("MODEL", o.inputs, "the model")->type_name("MODEL");
  info->add_flag("--json", o.json, "one JSON object");

  auto* models =
      add(app, o, "models", "the architectures that nunchi reads, and the checkpoints that it knows by name");
  models->add_option("PATTERN", o.inputs, "list the checkpoints whose names match, such as 'vit*'")->expected(0, 1);
  models->add_flag("--json", o.json, "JSON lines");
  auto* doctor = add(app, o, "doctor", "check this machine, with a remedy for each lack");
  doctor->add_flag("--peak", o.peak, "also measure how many operations a second it can do: fp32, bf16, int8");
  doctor->add_flag("--json", o.json, "one JSON object");
  add(app, o, "version", "versions of nunchi, compiler and LibTorch; instruction sets; devices");
}

void add_hub(CLI::App& app, Options& o) {
  auto* pull = add(app, o, "pull", "bring models from the hub into the cache; print their folders");
  pull->add_option("NAME", o.inputs, "organisation/name, or organisation/name@revision")
      ->required()
      ->type_name("NAME...");
  pull->add_flag("--json", o.json, "JSON lines");

  auto* cache = add(app, o, "cache", "the pulled models: ls lists, prune tidies up, verify checks every hash");
  cache->add_option("ACTION", o.inputs, "ls, prune or verify")
      ->required()
      ->expected(1)
      ->check(one_of({"ls", "prune", "verify"}, "ls, prune and verify"));
  cache->add_flag("--dry-run", o.dry_run, "prune: say what would be deleted");
  cache->add_flag("--all", o.all, "prune: also snapshots that no branch or tag points to any more");
  cache->add_flag("--json", o.json, "JSON lines");
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Options& options) {
  auto app = std::make_unique<CLI::App>(
      "nunchi: vision transformers, native. Classifies, embeds and compares pictures with the "
      "checkpoints you have.",
      "nunchi");
  app->require_subcommand(1);
  app->footer(footer);
  app->set_version_flag("--version", "nunchi " NUNCHI_VERSION);
  app->add_option("-m,--model", options.model)->group("");  // "wherever it stands on the line": before the command, too
  add_classify(*app, options);
  add_eval(*app, options);
  add_compare(*app, options);
  add_train(*app, options);
  add_embed(*app, options);
  add_similar(*app, options);
  add_forward(*app, options);
  add_convert(*app, options);
  add_quantize(*app, options);
  add_parity(*app, options);
  add_inspection(*app, options);
  add_graph(*app, options);
  add_walk(*app, options);
  add_hub(*app, options);
  add_demo(*app, options);
  add_bench(*app, options);
  add_profile(*app, options);
  add_explain(*app, options);
  add_features(*app, options);
  auto* completion = app->add_subcommand("completion", "print a completion script: bash, zsh or fish");
  completion->callback([&options] { options.command = "completion"; });
  completion->add_option("SHELL", options.inputs, "bash, zsh or fish")->required()->expected(1);
  return app;
}

std::string no_command(const CLI::App& app) {
  std::string names;
  for (const auto* command : app.get_subcommands({})) names += (names.empty() ? "" : ", ") + command->get_name();
  const auto remaining = app.remaining();
  return fmt::format("expected a command ({}), found {}", names, remaining.empty() ? "none" : remaining.front());
}

}  // namespace nunchi::cli
