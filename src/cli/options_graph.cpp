// The option tables of graph and walk.
#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

constexpr const char* graph_footer =
    "Without MODEL, the one that is part of nunchi is shown. No weights are read, only their names and shapes.\n"
    "Equal layers in a row are shown once, with their number. Parameters and FLOP of a layer are those of one.\n"
    "Examples:\n"
    "  nunchi graph google/vit-base-patch16-224\n"
    "  nunchi graph vit-base -o graph.svg --depth 3\n"
    "  nunchi graph vit-base --layers            # the names that explain --layer takes";

}  // namespace

void add_graph(CLI::App& app, Options& o) {
  auto* command = add(app, o, "graph", "the architecture of a model: layers, shapes, parameters, FLOP");
  add_bare_model(*command, o, "the model (default: the bundled one)");
  command->add_option("--classes", o.classes, "a new head of so many classes; 0: the backbone alone")
      ->check(CLI::Range(0, 1 << 20));
  add_size(*command, o);
  auto* depth = command->add_option("--depth", o.depth, "of layers in layers (default: as deep as fits on a page)")
                    ->check(CLI::Range(1, 100));
  auto* layers = command->add_flag("--layers", o.layers, "instead: every layer's name and shape, one a line");
  auto* json = command->add_flag("--json", o.json, "one JSON object");
  auto* out = command->add_option("-o,--out", o.out, "draw it to this file: .png, .svg or .pdf")
                  ->check(CLI::Validator(check_picture_name, ""));
  add_dark(*command, o)->needs(out);
  layers->excludes(depth)->excludes(json)->excludes(out);
  json->excludes(out);
  command->footer(graph_footer);
}

void add_walk(CLI::App& app, Options& o) {
  auto* command = add(app, o, "walk", "the way of a picture through a model, with every shape");
  add_model(*command, o, Devices::all);
  add_inputs(*command, o, "MODEL IMAGE");
  add_size(*command, o);
  command
      ->add_option("-o,--out", o.out,
                   "draw it to this file: .png, .svg (one picture), .pdf (a page for each) or .html (all)")
      ->check(CLI::Validator(check_page_or_picture_name, ""));
  add_language(*command, o);
  add_dark(*command, o);
}

}  // namespace nunchi::cli
