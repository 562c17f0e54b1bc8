// models/model.h: what every vision backbone answers.
//
//   const auto output = model.forward(pixel_values);           // [b, 3, h, w], normalised
//   output.logits;                                             // [b, classes]
//   model.forward(pixel_values, {.attentions = true}).attentions.back();
#pragma once

#include <map>

#include "nn/module.h"
#include "nn/position.h"

namespace nunchi::models {

// What to return beyond the answer. Both cost memory; attention weights also cost the fused path.
struct ForwardOptions {
  bool hidden_states = false, attentions = false;
};

// Names follow transformers' ModelOutput. Undefined tensors are outputs that the model does not have.
struct ModelOutput {
  Tensor logits;                          // [b, classes]
  Tensor last_hidden_state;               // tokens [b, n, dim] after the final norm, or a feature map [b, c, h, w]
  Tensor pooler_output;                   // [b, dim]
  std::vector<Tensor> hidden_states;      // transformers: 0 the embeddings, k after block k
  std::vector<Tensor> feature_maps;       // [b, c, h, w] per stage, of hierarchical models, with the hidden states
  std::vector<Tensor> attentions;         // [b, heads, n, n] per block
  std::map<std::string, Tensor> further;  // what only this family has, such as cls_logits
  std::int64_t prefix_tokens = 0;         // class, distillation and register tokens before the patches
  std::int64_t registers = 0;             // the last of these; without class token the only ones
  nn::Grid grid = {0, 0};                 // rows and columns of patches
};

// Every tensor of an output. Those of one network, asked for the same, come in the same order.
std::vector<Tensor*> tensors_of(ModelOutput& output);

class Model : public nn::Module {
 public:
  // image [b, channels, h, w]. Throws Error (input) where the model cannot take this size.
  virtual ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const = 0;

  virtual Shape input_shape() const = 0;     // channels, height, width that the model was trained with
  virtual std::int64_t classes() const = 0;  // 0: no head

  // The layer (nn/watch.h) whose values still have their place in the picture and are read by all that follows: what
  // class activation maps are made of.
  virtual std::string map_layer() const = 0;
};

// One picture of this size [channels, h, w] through a model without weights: every tensor is a shape alone (meta), and
// nothing is computed. Throws Error (input) where the model does not take this size.
ModelOutput forward_of_shapes(const Model& model, const Shape& input_shape, const ForwardOptions& options = {});

// Multiply-accumulates of one picture of this size [channels, h, w], counted on shapes alone. Needs a model without
// weights.
std::int64_t count_macs(const Model& model, const Shape& input_shape);

}  // namespace nunchi::models
