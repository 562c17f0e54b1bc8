#include "explain/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "nn/norm.h"
#include "nn/watch.h"
#include "ops/recorder.h"

namespace nunchi::explain {
namespace {

using Index = std::size_t;
constexpr Index root = 0;

struct Node {
  std::string name, path;
  Index parent = root;
  std::vector<Index> children = {};
  std::string kind = {};
  Shape shape = {};
  std::int64_t parameters = 0, macs = 0;  // its own
  bool adds_input = false;
};

bool is_below(const std::string& path, const std::string& above) {
  return above.empty() || path.starts_with(above + ".");
}

std::string without_last_word(const std::string& name) {
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

class Nodes {
 public:
  Nodes() { nodes_.push_back({.name = "", .path = ""}); }

  Node& operator[](Index index) { return nodes_[index]; }
  const Node& operator[](Index index) const { return nodes_[index]; }

  // The node of this path; made, with those above it, where it is not there yet.
  Index at(const std::string& path) {
    if (path.empty()) return root;
    const auto [place, is_new] = places_.try_emplace(path, nodes_.size());
    if (!is_new) return place->second;
    const Index own = nodes_.size();
    nodes_.push_back({.name = path.substr(path.rfind('.') + 1), .path = path});
    const Index parent = at(without_last_word(path));
    nodes_[own].parent = parent;
    nodes_[parent].children.push_back(own);
    return own;
  }

  // The deepest one that holds both.
  Index common(Index one, Index other) const {
    while (one != other && !is_below(nodes_[other].path, nodes_[one].path)) one = nodes_[one].parent;
    return one;
  }

  // The child of `above` on the way to `below`.
  Index child_towards(Index above, Index below) const {
    while (below != root && nodes_[below].parent != above) below = nodes_[below].parent;
    return below;
  }

 private:
  std::vector<Node> nodes_;
  std::map<std::string, Index> places_;
};

// The layers of a network and where they stand in the tree.
class Places {
 public:
  explicit Places(models::Model& network) : layers_(network.layers()) {
    for (const auto& layer : layers_) names_.insert(layer.name);
    for (const auto& layer : layers_) is_leaf_.emplace(layer.name, layer.layer->layers().empty());
    for (const auto& layer : layers_) {
      for (const auto& [name, slot] : layer.layer->tensors()) owners_[slot] = layer.name;
    }
  }

  const std::vector<nn::Module::NamedLayer>& layers() const { return layers_; }
  bool is_leaf(const std::string& layer) const { return is_leaf_.at(layer); }

  // A layer below whose name others stand is told by its first tensor: Swin's "patch_embed" beside "patch_embed.norm".
  std::string path(const std::string& layer) const {
    if (!is_leaf(layer) || !has_others_below(layer)) return layer;
    const auto own = std::ranges::find(layers_, layer, &nn::Module::NamedLayer::name)->layer->tensors();
    return own.empty() ? layer : layer + "." + without_last_word(own.front().name);
  }

  // Where a tensor's parameters count: in the leaf that uses it, otherwise in a place of its own.
  std::string path_of_tensor(const nn::Module::Named& tensor) const {
    const auto owner = owners_.find(tensor.slot);
    const auto above = owner == owners_.end() ? "" : owner->second;
    if (!above.empty() && is_leaf(above)) return path(above);
    const auto relative =
        is_below(tensor.name, above) && !above.empty() ? tensor.name.substr(above.size() + 1) : tensor.name;
    const auto inner = without_last_word(relative).empty() ? relative : without_last_word(relative);
    return above.empty() ? inner : above + "." + inner;
  }

 private:
  bool has_others_below(const std::string& layer) const {
    const auto next = names_.lower_bound(layer + ".");
    return next != names_.end() && is_below(*next, layer);
  }

  std::vector<nn::Module::NamedLayer> layers_;
  std::set<std::string> names_;
  std::map<std::string, bool> is_leaf_;
  std::map<const nn::Slot*, std::string> owners_;
};

void place_parameters(Nodes& nodes, models::Model& network, const Places& places) {
  for (const auto& tensor : network.tensors()) {
    if (!tensor.slot->trainable) continue;
    Node& node = nodes[nodes.at(places.path_of_tensor(tensor))];
    node.parameters += c10::multiply_integers(tensor.slot->shape);
    if (node.shape.empty()) node.shape = tensor.slot->shape;
    node.kind = "parameter";  // until it is seen to do something
  }
  for (const auto& layer : places.layers()) nodes.at(places.path(layer.name));
}

// One op of ops/, or an addition between them, with all that they call.
struct Step {
  std::string name;
  std::vector<Shape> inputs;
  std::int64_t macs = 0;
};

std::vector<Step> steps_of(const ops::Recording& recording) {
  std::vector<Step> steps;
  for (const auto& slice : recording.slices) {
    const bool is_outer = !slice.parent;
    if (is_outer) steps.push_back({slice.name, slice.inputs});
    steps.back().macs += slice.macs;
  }
  const auto is_other = [](const Step& step) { return step.name.starts_with("aten::") && step.name != "aten::add"; };
  std::erase_if(steps, is_other);
  return steps;
}

std::string kind_of(const Step& step) {
  static const std::map<std::string, std::string> kinds = {{"linear", "linear"},         {"conv2d", "convolution"},
                                                           {"layer_norm", "layer norm"}, {"rms_norm", "RMS norm"},
                                                           {"group_norm", "group norm"}, {"attention", "attention"}};
  const auto found = kinds.find(step.name);
  return found == kinds.end() ? "" : found->second;
}

bool is_sum(const Step& step) {
  return step.name == "aten::add" && step.inputs.size() > 1 && step.inputs[0].size() >= 3 &&
         step.inputs[0] == step.inputs[1];
}

// Behind the input and the weight, a residual is the only input as large as the result.
bool adds_residual(const Step& step, const Shape& result) {
  if (is_sum(step)) return true;
  if (step.name != "linear" && step.name != "conv2d") return false;
  return std::find(step.inputs.begin() + std::min<std::ptrdiff_t>(2, std::ssize(step.inputs)), step.inputs.end(),
                   result) != step.inputs.end();
}

// Watches one forward, and tells each step to the layer that did it.
class Attribution {
 public:
  Attribution(Nodes& nodes, const Places& places, Graph& graph) : nodes_(nodes), places_(places), graph_(graph) {}

  void saw(const std::string& layer, const Tensor& y) {
    add_seen(graph_.layers, layer, y);
    const Shape shape(y.sizes().begin(), y.sizes().end());
    const Index place = nodes_.at(places_.path(layer));
    nodes_[place].shape = shape;
    auto steps = steps_of(recorder_.take());
    const auto own = places_.is_leaf(layer) ? own_steps(steps) : steps.end();
    between(place, {steps.begin(), own});
    if (nodes_[place].kind == "parameter") nodes_[place].kind = "";
    for (auto step = own; step != steps.end(); ++step) count(nodes_[place], *step, shape);
    last_ = place;
  }

  void finish() { between(root, steps_of(recorder_.take())); }

 private:
  using Steps = std::vector<Step>;

  // A leaf did the last step that has weights and what follows it.
  static Steps::iterator own_steps(Steps& steps) {
    const auto has_weights = [](const Step& step) { return step.name != "attention" && !kind_of(step).empty(); };
    auto last = std::find_if(steps.rbegin(), steps.rend(), has_weights);
    return last == steps.rend() ? steps.end() : last.base() - 1;
  }

  static void count(Node& node, const Step& step, const Shape& shape) {
    node.macs += step.macs;
    node.adds_input |= adds_residual(step, shape);
    const bool cuts_patches = step.name == "conv2d" && shape.size() == 3;  // a map would have four axes
    if (node.kind.empty()) node.kind = cuts_patches ? "patch embedding" : kind_of(step);
  }

  // What no leaf did is of the group that holds both the layer before and the one after it; its products, before a
  // leaf, are of what this leaf is a part of.
  void between(Index next, const Steps& steps) {
    const Index group = nodes_.common(last_, next);
    const bool before_leaf = next != root && nodes_[next].children.empty();
    for (const auto& step : steps) {
      if (is_sum(step) && group != root && group != last_) nodes_[nodes_.child_towards(group, last_)].adds_input = true;
      const Index whole = before_leaf ? nodes_[next].parent : group;
      if (step.name == "attention") note_heads(step, whole);
      if (step.macs > 0 && !(before_leaf && use_directly(whole, step))) nodes_[whole].macs += step.macs;
    }
  }

  void note_heads(const Step& step, Index whole) {
    if (whole != root) nodes_[whole].kind = "attention";
    const auto& queries = step.inputs.front();  // [b, n, heads, head_dim]
    graph_.heads = queries[2];
    graph_.head_dim = queries[3];
  }

  // A layer that was not asked itself, but whose weight was: known by the weight's shape among those nearby.
  bool use_directly(Index above, const Step& step) {
    for (const Index child : std::vector(nodes_[above].children)) {
      Node& node = nodes_[child];
      if (step.name == "linear" && node.kind == "parameter" && node.shape == step.inputs[1]) {
        node.kind = kind_of(step);
        node.macs += step.macs;
        node.shape = step.inputs[0];
        node.shape.back() = step.inputs[1][0];
        return true;
      }
      if (use_directly(child, step)) return true;
    }
    return false;
  }

  Nodes& nodes_;
  const Places& places_;
  Graph& graph_;
  ops::Recorder recorder_;
  Index last_ = root;
};

// A norm whose weights are used without asking it, as ConvNeXt's over maps: what it gives back was not seen.
void name_silent_norms(Nodes& nodes, const Places& places) {
  for (const auto& [name, layer] : places.layers()) {
    Node& node = nodes[nodes.at(places.path(name))];
    if (node.kind != "parameter" || dynamic_cast<const nn::LayerNorm*>(layer) == nullptr) continue;
    node.kind = "layer norm";
    node.shape.clear();
  }
}

bool is_numbered(const GraphLayer& layer) {
  return !layer.name.empty() && std::ranges::all_of(layer.name, [](char c) { return c >= '0' && c <= '9'; });
}

bool are_equal(const GraphLayer& a, const GraphLayer& b) {
  const auto is_same = [](const GraphLayer& x, const GraphLayer& y) { return x.name == y.name && are_equal(x, y); };
  return a.kind == b.kind && a.count == b.count && a.shape == b.shape && a.parameters == b.parameters &&
         a.macs == b.macs && std::ranges::equal(a.children, b.children, is_same);
}

std::vector<GraphLayer> collapsed(std::vector<GraphLayer> layers) {
  std::vector<GraphLayer> result;
  std::string first;
  for (auto& layer : layers) {
    GraphLayer once = result.empty() ? GraphLayer{} : result.back();
    once.count = 1;
    if (!result.empty() && is_numbered(layer) && !first.empty() && are_equal(once, layer)) {
      ++result.back().count;
      result.back().name = fmt::format("{} ... {}", first, layer.name);
      continue;
    }
    first = is_numbered(layer) ? layer.name : "";
    result.push_back(std::move(layer));
  }
  return result;
}

// A group of a single thing is this thing: "blocks" of "0 ... 11".
GraphLayer without_wrapper(GraphLayer layer) {
  const bool wraps = layer.kind.empty() && layer.children.size() == 1 &&
                     layer.macs == layer.children.front().count * layer.children.front().macs;
  if (!wraps) return layer;
  GraphLayer only = std::move(layer.children.front());
  only.name = layer.name + "." + only.name;
  only.adds_input |= layer.adds_input;
  return only;
}

// Numbered layers of several parts are blocks, or stages where they consist of blocks.
std::string kind_of_group(const GraphLayer& layer) {
  if (!layer.kind.empty() || layer.children.empty() || !is_numbered(layer)) return layer.kind;
  const auto holds_blocks = [](const GraphLayer& child) {
    return child.kind == "block" || std::ranges::count(child.children, "block", &GraphLayer::kind) > 0;
  };
  return std::ranges::any_of(layer.children, holds_blocks) ? "stage" : "block";
}

GraphLayer layer_of(const Nodes& nodes, Index index) {
  const Node& node = nodes[index];
  GraphLayer layer{.name = node.name,
                   .kind = node.kind,
                   .shape = node.shape,
                   .parameters = node.parameters,
                   .macs = node.macs,
                   .adds_input = node.adds_input,
                   .children = {}};
  for (const Index child : node.children) layer.children.push_back(layer_of(nodes, child));
  layer.children = collapsed(std::move(layer.children));
  for (const auto& child : layer.children) {
    layer.parameters += child.count * child.parameters;
    layer.macs += child.count * child.macs;
    const bool gives = child.kind != "parameter" && !child.shape.empty();
    if (gives && node.shape.empty()) layer.shape = child.shape;
  }
  layer.kind = kind_of_group(layer);
  return index == root ? layer : without_wrapper(std::move(layer));
}

}  // namespace

Graph graph_of(models::Model& network, const Shape& input) {
  Graph graph{.input = input, .network = {}, .layers = {}};
  Nodes nodes;
  const Places places(network);
  place_parameters(nodes, network, places);
  Attribution attribution(nodes, places, graph);
  const nn::Watch watch(network, [&](const std::string& name, const Tensor& values) {
    attribution.saw(name, values);
    return values;
  });
  models::forward_of_shapes(network, input);
  attribution.finish();
  name_silent_norms(nodes, places);
  graph.network = layer_of(nodes, root);
  if (!graph.layers.empty()) graph.network.shape = graph.layers.back().shape;
  return graph;
}

bool adds_within(const GraphLayer& layer) {
  return layer.adds_input || std::ranges::any_of(layer.children, adds_within);
}

GraphLayer cut_at(const GraphLayer& layer, int depth) {
  GraphLayer cut = layer;
  cut.children.clear();
  for (const auto& child : layer.children) {
    if (depth > 0)
      cut.children.push_back(cut_at(child, depth - 1));
    else
      cut.adds_input |= adds_within(child);
  }
  return cut;
}

std::size_t layer_count(const GraphLayer& layer) {
  std::size_t count = 1;
  for (const auto& child : layer.children) count += layer_count(child);
  return count;
}

int depth_within(const GraphLayer& layer, std::size_t most) {
  int depth = 1;
  while (layer_count(cut_at(layer, depth + 1)) <= most &&
         layer_count(cut_at(layer, depth + 1)) > layer_count(cut_at(layer, depth)))
    ++depth;
  return depth;
}

}  // namespace nunchi::explain
