// explain/graph.h: the architecture of a model as a tree of layers, with what each gives back and what it costs.
//
//   auto files = tasks::open_model_files({.path = "vit-base-patch16-224"});        // no weights are read
//   const Graph graph = graph_of(*files.built.model, files.built.model->input_shape());
//   graph.network.children[3];   // {"blocks.0 ... 11", "block", count 12, [1, 197, 768], 7,087,872 parameters ...}
//
// Nothing is computed for it but shapes (meta tensors). Shapes are those of layers while the network runs; the costs
// are what the ops count (ops/count.h), so that the tree adds up to models::count_macs() and to parameter_count().
#pragma once

#include "explain/anatomy.h"

namespace nunchi::explain {

struct GraphLayer {
  std::string name;        // what its parent calls it; of equal ones in a row "0 ... 11"
  std::string kind;        // "linear", "convolution", "attention", "block", "parameter" ...; empty: a mere group
  std::int64_t count = 1;  // of equal ones in a row
  Shape shape;             // of what one gives back for one picture, of a parameter its own; empty: not known
  std::int64_t parameters = 0, macs = 0;  // of one, with all below it
  bool adds_input = false;                // what came before it is added to what it gives back
  std::vector<GraphLayer> children;
};

struct Graph {
  Shape input;                           // channels, height, width
  GraphLayer network;                    // the root; equal siblings in a row are one
  std::vector<Layer> layers;             // every one that gives something back, in the order in which they are done
  std::int64_t heads = 0, head_dim = 0;  // of the last attention; 0 where there is none
};

// The network must be without weights. Throws Error (input) where it does not take pictures of this size.
Graph graph_of(models::Model& network, const Shape& input);

// The tree with nothing deeper than this below the root; what is cut off still counts in its parents.
GraphLayer cut_at(const GraphLayer& layer, int depth);

// Whether the layer or one below it adds its input.
bool adds_within(const GraphLayer& layer);

// How many layers the tree has, the root among them.
std::size_t layer_count(const GraphLayer& layer);

// The greatest depth at which the tree has no more layers than `most`, at least 1.
int depth_within(const GraphLayer& layer, std::size_t most);

}  // namespace nunchi::explain
