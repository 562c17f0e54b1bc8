// The option table of demo.
#include <cstdlib>

#include "cli/demo_model.h"
#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

constexpr const char* demo_footer =
    "Without PHOTO, it shows photos that are part of nunchi. Where a terminal is there to answer, it offers to pull a\n"
    "small public checkpoint and to show that; otherwise, and with --no-network, the bundled model, or that of -m.";

}  // namespace

void add_demo(CLI::App& app, Options& o) {
  auto* command = add(app, o, "demo", "a first look: answers, similarity, attention and timing in one HTML report");
  add_model(*command, o);
  command->add_option("PHOTO", o.inputs, "pictures of your own, folders or globs")->type_name("PHOTO...");
  command->add_option("-o,--out", o.out, "the report (default: nunchi-demo.html)");
  add_language(*command, o);
  auto* yes = command->add_flag_callback(
      "-y,--yes", [&o] { o.published = {public_model}; }, "pull the small public checkpoint without asking");
  command
      ->add_flag_callback(
          "--no-network", [] { setenv("HF_HUB_OFFLINE", "1", /* overwrite */ 1); }, "do not ask, and do not pull")
      ->excludes(yes);
  add_reading(*command, o);
  command->footer(demo_footer);
}

}  // namespace nunchi::cli
