// The option table of profile.
#include "cli/options_groups.h"

namespace nunchi::cli {

namespace {

constexpr const char* profile_footer =
    "Without MODEL, the one that is part of nunchi is used; without IMAGE, a photo that is, or random pixels where "
    "the\n"
    "model does not say how it wants its pictures.\n"
    "Time counts for the innermost operation in which it was spent. MB are read and written, each tensor once a call.\n"
    "Examples:\n"
    "  nunchi profile google/vit-base-patch16-224 cat.jpg --precision bf16\n"
    "  nunchi profile -m swin-tiny --layers\n"
    "  nunchi profile -m vit-base --batch 8 --trace trace.json --plot memory.svg";

}  // namespace

void add_profile(CLI::App& app, Options& o) {
  auto* command = add(app, o, "profile", "where the time of a model goes: its costliest operations, trace, memory");
  add_model(*command, o);
  command->add_option("MODEL_AND_IMAGE", o.inputs, "MODEL, then a picture")->type_name("MODEL IMAGE");
  command->add_option("--batch", o.copies, "so many copies of the picture in one forward")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--runs", o.runs, "forwards that are recorded")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--warm-ups", o.warm_ups, "forwards before them")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  auto* top =
      command->add_option("--top", o.top, "how many operations to list (default: 10)")->check(CLI::Range(1, 100'000));
  auto* trace = command->add_option(
      "--trace", o.trace, "write one forward as a trace (Trace Event Format), to be opened at ui.perfetto.dev");
  auto* plot = command->add_option("--plot", o.plot, "draw the memory over this forward: .png, .svg or .pdf")
                   ->check(CLI::Validator(check_picture_name, ""));
  command->add_flag("--layers", o.layers, "layer by layer instead, the blocks of a stage together")
      ->excludes(top)
      ->excludes(trace)
      ->excludes(plot);
  command->add_flag("--json", o.json, "one JSON object, with every operation");
  command->add_option("-o,--out", o.out, "write to this file instead of standard output");
  add_reading(*command, o);
  command->footer(profile_footer);
}

}  // namespace nunchi::cli
