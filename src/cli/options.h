// cli/options.h: what the command line said. main.cpp and this table link no LibTorch: help and usage errors answer at
// once.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "draw/html_words.h"

namespace nunchi::cli {

struct PictureSize {
  int height = 0, width = 0;
};

struct PatchPlace {
  std::int64_t row = 0, column = 0;  // of the grid of patches, from 0
};

// A part of a picture, in pixels from its upper left corner.
struct PicturePart {
  int left = 0, top = 0, width = 0, height = 0;
};

// What `explain` is asked for.
struct ExplainOptions {
  std::vector<std::string> classes;
  std::string methods, versus, layer, boxes;
  std::optional<std::int64_t> head, samples;
  double discarded = 0;
  std::int64_t steps = 16;
  std::uint64_t seed = 0;
  std::string colors = "turbo", figures = "png";
  bool maps = false, no_scores = false;
};

// One struct for all commands; a command reads what its table entry offers.
struct Options {
  std::string command;
  std::string model;
  bool bundled = false;  // no model is named: the one that is part of nunchi
  std::vector<std::string> inputs;
  draw::Language language = draw::Language::english;  // of pages and figures
  bool dark = false;                                  // of figures
  std::string device = "auto", precision, arch, out, pool = "cls", layout, dtype;
  std::vector<std::string> pools = {"cls"};  // of `embed`
  std::vector<std::string> models;           // of `compare`, and of `classify --ensemble`
  std::string labels, map, split, tta;
  std::vector<double> weights;
  std::optional<PicturePart> crop;
  std::optional<PictureSize> size;
  std::optional<std::int64_t> classes;
  std::vector<std::string> images;     // --image of `forward`, `walk` and `parity`
  std::vector<std::string> published;  // --published of `parity`
  std::string figures;
  int threads = 0, batch = 8, top = 0;
  std::int64_t limit = 0;  // 0: all
  std::int64_t max_pixels = 178'956'970;
  bool json = false, csv = false, quiet = false, verbose = false, recursive = false, no_exif = false, ensemble = false;
  bool dry_run = false, all = false;                               // of `cache`
  bool resume = false, restart = false;                            // of `train`
  std::optional<int> depth;                                        // of `graph`
  bool layers = false;                                             // of `graph` and `profile`
  bool peak = false;                                               // of `doctor`
  std::vector<std::string> precisions = {"fp32", "bf16", "int8"};  // of `bench`, as all that follows
  std::vector<std::int64_t> batches = {1, 8, 32};
  double seconds = 3;
  bool side_by_side = false, suggest_batch = false, scaling = false;
  std::int64_t max_batch = 256;
  std::optional<std::uint64_t> memory;                 // bytes
  std::int64_t warm_ups = 10, runs = 100, copies = 1;  // of `profile`, as what follows
  std::string trace, plot;                             // plot: of `bench` and `quantize` too
  std::string data;                                    // of `quantize`, as what follows
  double max_drop = 0.5;
  ExplainOptions explain;
  std::vector<std::string> show = {"pca"};  // of `features`, as what follows
  std::optional<std::int64_t> k;
  std::optional<PatchPlace> patch;
  std::vector<std::string> layers_shown;
  std::string other_model, method, masks;
  std::string among;  // of `similar`
  bool joint = false;
  std::uint64_t seed = 0;
  double duplicates = 0.95;  // cosine from which two pictures count as the same
};

// The words of the command line. Some options take a value or none; theirs is joined to them ("--tta=crops"), so that
// what follows an option without one is not taken for its value.
std::vector<std::string> words_of(int argc, const char* const* argv);

// The whole command line, bound to `options`.
std::unique_ptr<CLI::App> make_app(Options& options);

// "-m MODEL" or the first positional; the rest are inputs. Called once after parsing. Throws CLI::ParseError where the
// model or the pictures are missing, or where more is named than the command takes.
void settle_model(Options& options);

// What to say where no command could be made out.
std::string no_command(const CLI::App& app);

// A completion script for bash, zsh or fish, made from the same table.
std::string completion_script(const CLI::App& app, const std::string& shell);

// Runs a parsed command; returns the exit code. Exported by libnunchi.so under the name nunchi_run.
using RunFunction = int(const Options&);

}  // namespace nunchi::cli
