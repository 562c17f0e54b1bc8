// explain/anatomy.h: the layers of a model by name, and their values as maps over the picture.
//
//   const Anatomy anatomy = anatomy_of(model, {3, 224, 224});
//   anatomy.layers.front();                                        // {"patch_embed", [1, 196, 768]}
//   const std::string layer = layer_named(anatomy, "layer4");      // "layer4.2": what a group of layers gives back
//   const Tensor map = as_map(values, anatomy);                    // tokens [b, 197, 768] -> [b, 768, 14, 14]
//
// Names are those of nn/watch.h. Nothing is computed for it but shapes.
#pragma once

#include <map>

#include "tasks/vision_model.h"

namespace nunchi::explain {

struct Layer {
  std::string name;
  Shape shape;  // of what it gives back, for one picture; of the last time, where it is asked more than once
};

struct Anatomy {
  std::vector<Layer> layers;  // in the order in which they are done: a block stands behind its parts
  nn::Grid image = {0, 0};    // pixels
  std::int64_t prefix_tokens = 0, registers = 0;
  nn::Grid grid = {0, 0};      // of the last map or the patches
  bool has_attention = false;  // weights between all tokens
  std::string map_layer;       // models::Model::map_layer()
};

// What a layer gave back, behind all that were seen before; one that is seen again moves there.
void add_seen(std::vector<Layer>& layers, const std::string& name, const Tensor& values);

// input: channels, height, width. Throws Error (input) where the model does not take pictures of this size.
Anatomy anatomy_of(const tasks::VisionModel& model, const Shape& input);

// Those of one model, each worked out when a picture of its size comes for the first time.
class Anatomies {
 public:
  explicit Anatomies(const tasks::VisionModel& model) : model_(model) {}  // which must live as long

  const Anatomy& of(const Tensor& pixels);  // [b, channels, h, w]

 private:
  const tasks::VisionModel& model_;
  std::map<Shape, Anatomy> by_size_;
};

// The layer of that name; of a group such as "layer4" or "blocks", its last one. Throws Error (usage) with the names
// nearest to it.
std::string layer_named(const Anatomy& anatomy, const std::string& name);

// The layers whose values as_map() takes.
std::vector<std::string> map_layers(const Anatomy& anatomy);

bool is_map(at::IntArrayRef shape, const Anatomy& anatomy);

// Tokens [b, n, c] (without those before the patches), or maps [b, c, rows, columns] or [b, rows, columns, c] ->
// [b, c, rows, columns]. Asserts that it is one of these.
Tensor as_map(const Tensor& values, const Anatomy& anatomy);

}  // namespace nunchi::explain
