// cli/commands.h: one function per subcommand, each in the file of its name. They return the exit code and throw Error.
#pragma once

#include <functional>

#include "cli/options.h"
#include "cli/terminal.h"
#include "draw/canvas.h"
#include "tasks/classifier.h"
#include "tasks/picture_loader.h"
#include "tasks/vision_model.h"

namespace nunchi::cli {

int classify(const Options& options);
int eval(const Options& options);
int compare(const Options& options);
int bench(const Options& options);
int profile(const Options& options);
int explain(const Options& options);
int train(const Options& options);
int demo(const Options& options);
int embed(const Options& options);
int similar(const Options& options);
int forward(const Options& options);
int convert(const Options& options);
int quantize(const Options& options);
int features(const Options& options);
int parity(const Options& options);
int info(const Options& options);
int graph(const Options& options);
int walk(const Options& options);
int models(const Options& options);
int pull(const Options& options);
int cache(const Options& options);
int doctor(const Options& options);
int version(const Options& options);

// --- shared by the commands

constexpr int exit_some_failed = 1;
constexpr int exit_model = 3;
constexpr int exit_interrupted = 130;

tasks::ModelSource model_source(const Options& options);

// What --precision says for this model: "auto" measures, and tells what it chose. Nothing: as the model is stored. To
// be called before anything of LibTorch has run.
std::optional<nn::Precision> precision_of(const Options& options, const tasks::ModelSource& source);

// What --device says. auto: a GPU where LibTorch sees one, otherwise the CPU. Throws Error (usage) for one that is not
// there.
at::Device device_named(const std::string& name);
// The same for answers: fp32 as it is, without TF32, in which LibTorch would convolve on a GPU; for int8, auto is the
// CPU.
at::Device exact_device_named(const std::string& name, bool int8);
// The same for a model as the options open it. To be called after precision_of().
at::Device device_of(const Options& options, const tasks::ModelSource& source);

// Models that are pulled on the way show it on a line of their own.
void show_pulls(const Options& options);

tasks::VisionModel open_model(const Options& options);

// The model, or those of --ensemble, with --labels, --tta, --weights and --crop.
tasks::Classifier open_classifier(const Options& options);

// The pictures that the inputs name: files as they are, pictures of folders, matches of globs. A folder that holds none
// or cannot be read counts as failed.
struct Pictures {
  std::vector<std::filesystem::path> paths;
  std::int64_t failed = 0;
};

// Reports what failed on standard error. Throws Error (input) where no picture is left.
Pictures find_pictures(const Options& options, const std::vector<std::string>& inputs);
inline Pictures find_pictures(const Options& options) { return find_pictures(options, options.inputs); }

// "cat.jpg" of "photos/cat.jpg", and "vit" of "models/vit/".
std::string short_name(std::filesystem::path path);

image::DecodeOptions decode_options(const Options& options);

inline draw::Theme theme_of(const Options& options) { return options.dark ? draw::dark_theme : draw::light_theme; }

// Runs `step` over all batches, with progress, until done or stopped; `failed` have failed before. What fails is
// reported on standard error. Returns the exit code.
int run_batches(const Options& options, const tasks::PictureInputs& inputs, std::int64_t failed,
                const std::function<void(const tasks::Batch&)>& step);

// A step of several pictures: the answers of one batch, and what failed.
struct Step {
  const tasks::Batch& batch;
  const std::vector<std::filesystem::path>& paths;
  models::ModelOutput output;  // of batch.pixels; empty where all of the batch failed
};

// Runs the model over the pictures, with progress, until done or stopped. Failures are reported on standard error.
// Returns the exit code.
int run_pictures(const Options& options, const tasks::VisionModel& model, const Pictures& pictures,
                 const std::function<void(const Step&)>& step);

std::string with_thousands(std::int64_t number);  // 86,567,656
std::string json_line(const Json& json);          // one line; text that is not UTF-8 is replaced

}  // namespace nunchi::cli
