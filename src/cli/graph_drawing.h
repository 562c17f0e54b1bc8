// cli/graph_drawing.h: the architecture of a model as a picture: boxes in boxes in the order of the data, and beside
// each what it gives back and what it costs.
//
//   draw::write_drawing("graph.svg", graph_drawing(graph, {.title = "ViT-S/16", .depth = 4}));
#pragma once

#include "draw/drawing.h"
#include "explain/graph.h"

namespace nunchi::cli {

struct GraphDrawing {
  std::string title;
  int depth = 3;  // of boxes in boxes
  draw::Theme theme = draw::light_theme;
};

// Throws Error (usage) where the sheet would be too high to be drawn: a smaller depth is needed.
draw::Drawing graph_drawing(const explain::Graph& graph, const GraphDrawing& options);

// Three digits: "7.09 M", "384"; with a unit "35.1 GFLOP".
std::string short_number(std::int64_t number, const std::string& unit = "");

}  // namespace nunchi::cli
