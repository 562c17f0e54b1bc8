#include "explain/graph.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/graph_drawing.h"

namespace nunchi::cli {
namespace {

using explain::GraphLayer;

constexpr std::size_t most_drawn = 48, most_printed = 80;  // layers on a page, lines of text
constexpr int name_width = 38;

Json as_json(const GraphLayer& layer) {
  Json json = {{"name", layer.name},
               {"kind", layer.kind},
               {"count", layer.count},
               {"shape", layer.shape},
               {"parameters", layer.parameters},
               {"macs", layer.macs},
               {"flops", 2 * layer.macs},
               {"adds_input", layer.adds_input}};
  if (layer.children.empty()) return json;
  json["layers"] = Json::array();
  for (const auto& child : layer.children) json["layers"].push_back(as_json(child));
  return json;
}

// Names indented as the layers lie in one another: the column keeps its width.
void write_layer(Results& results, const GraphLayer& layer, int depth) {
  const auto kind = layer.kind == "block" || layer.kind == "stage" ? layer.kind + " " : "";
  const auto count = layer.count > 1 ? fmt::format("{} x ", layer.count) : "";
  const auto name = fmt::format("{:{}}{}{}{}", "", 2 * depth, count, kind, layer.name);
  results.line(fmt::format("{:<{}} {:<20} {:>13} {:>9}  {}", name, name_width,
                           layer.shape.empty() ? "-" : to_string(layer.shape), with_thousands(layer.parameters),
                           layer.macs > 0 ? short_number(2 * layer.macs) : "-", kind.empty() ? layer.kind : ""));
  for (const auto& child : layer.children) write_layer(results, child, depth + 1);
}

void write_tree(Results& results, const explain::Graph& graph, const std::string& title, int depth) {
  results.line(fmt::format("{}: a picture of {}", title, to_string(graph.input)));
  results.line(
      fmt::format("{:<{}} {:<20} {:>13} {:>9}  {}", "layer", name_width, "gives back", "parameters", "FLOP", "kind"));
  const auto tree = explain::cut_at(graph.network, depth);
  for (const auto& child : tree.children) write_layer(results, child, 0);
  results.line(fmt::format("{:<{}} {:<20} {:>13} {:>9}", "all together", name_width, to_string(tree.shape),
                           with_thousands(tree.parameters), short_number(2 * tree.macs)));
}

void write_layers(Results& results, const explain::Graph& graph) {
  for (const auto& layer : graph.layers) results.line(fmt::format("{:<38} {}", layer.name, to_string(layer.shape)));
}

Shape input_of(const Options& options, const models::Model& network) {
  auto input = network.input_shape();
  if (options.size) input = {input[0], options.size->height, options.size->width};
  return input;
}

std::string title_of(const Options& options, const tasks::ModelFiles& files) {
  const auto name = short_name(options.model);
  return name.empty() || name == files.type ? files.type : fmt::format("{} ({})", name, files.type);
}

}  // namespace

int graph(const Options& options) {
  if (!options.out.empty()) check_place(options.out);
  const auto files = tasks::open_model_files(model_source(options));
  const auto shown = explain::graph_of(*files.built.model, input_of(options, *files.built.model));
  const auto title = title_of(options, files);
  const int drawn = options.depth.value_or(explain::depth_within(shown.network, most_drawn));
  if (!options.out.empty()) {
    draw::write_drawing(options.out,
                        graph_drawing(shown, {.title = title, .depth = drawn, .theme = theme_of(options)}));
    return 0;
  }
  Results results("");
  if (options.json) {
    Json json = as_json(options.depth ? explain::cut_at(shown.network, *options.depth) : shown.network);
    json["name"] = files.type;
    json["input_shape"] = shown.input;
    results.line(json_line(json));
  } else if (options.layers) {
    write_layers(results, shown);
  } else {
    write_tree(results, shown, title, options.depth.value_or(explain::depth_within(shown.network, most_printed)));
  }
  return 0;
}

}  // namespace nunchi::cli
