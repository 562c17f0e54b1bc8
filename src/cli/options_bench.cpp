// The option table of bench.
#include <filesystem>

#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

constexpr const char* bench_footer =
    "Every precision and batch is measured in a process of its own, on random pixels of the size that the model "
    "takes.\n"
    "Examples:\n"
    "  nunchi bench google/vit-base-patch16-224 --plot speed.svg\n"
    "  nunchi bench --compare vit-tiny vit-small vit-base --batch 1,16 --plot models.png\n"
    "  nunchi bench vit-base --suggest-batch --memory 2GB\n"
    "  nunchi bench vit-base --scaling -o scaling.json --plot scaling.svg\n"
    "  nunchi bench -m vit-base --batch 1 --precision bf16 --threads 1 --seconds 10 --json";

void add_suggestion(CLI::App& command, Options& o, CLI::Option* batches, CLI::Option* compare, CLI::Option* plot) {
  auto* suggest = command.add_flag("--suggest-batch", o.suggest_batch,
                                   "instead: the largest batch whose measured peak memory stays within the limit");
  suggest->excludes(batches)->excludes(compare)->excludes(plot);
  command.add_option("--memory", o.memory, "that limit, such as 2GB or 1500MiB (default: what is free)")
      ->transform(CLI::AsSizeValue(/* kb is 1000 */ true))
      ->type_name("SIZE")
      ->needs(suggest);
  command.add_option("--max-batch", o.max_batch, "no larger batch is tried")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->needs(suggest);
}

}  // namespace

void add_bench(CLI::App& app, Options& o) {
  auto* command = add(app, o, "bench", "how fast a model is: latency, pictures a second, memory");
  add_bare_model(*command, o, "the model (default: the bundled one); with --compare several");
  auto* batches = command->add_option("--batch", o.batches, "pictures per forward, one or several")
                      ->delimiter(',')
                      ->check(CLI::Range(1, 4096))
                      ->default_str("1,8,32");
  auto* precisions = command->add_option("--precision", o.precisions, "one or more of fp32, bf16 and int8")
                         ->delimiter(',')
                         ->check(one_of({"fp32", "bf16", "int8"}, "fp32, bf16 and int8"))
                         ->default_str("fp32,bf16,int8");
  auto* seconds =
      command
          ->add_option("--seconds", o.seconds, "for each measurement; ten calls at least (with --suggest-batch three)")
          ->check(CLI::Range(0.01, 3600.0))
          ->capture_default_str();
  auto* compare = command->add_flag("--compare", o.side_by_side, "several models, one after the other");
  auto* plot = command->add_option("--plot", o.plot, "draw it to this file: .png, .svg or .pdf; .html: a page with all")
                   ->check(CLI::Validator(check_page_or_picture_name, ""));
  add_language(*command, o);
  add_suggestion(*command, o, batches, compare, plot);
  auto* scaling = command->add_flag("--scaling", o.scaling,
                                    "instead: how the cost of attention and of a convolution grows with the tokens, "
                                    "and how far each sees");
  for (auto* other : {batches, precisions, seconds, compare, command->get_option("--suggest-batch")})
    scaling->excludes(other);
  command->add_flag("--json", o.json, "one JSON object");
  command->add_option("-o,--out", o.out, "write to this file instead of standard output");
  command->footer(bench_footer);
}

}  // namespace nunchi::cli
