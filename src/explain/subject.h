// explain/subject.h: one model and one picture, and the ways to ask why it answered so: forwards, and gradients of the
// answer with respect to what lies inside.
//
//   const Subject subject(model, pixels);                       // [1, 3, h, w]
//   const auto at = subject.at_layer("blocks.11.norm1", {.answer = 282});
//   at.activations * at.gradients;                              // [channels, rows, columns] each
//
// Answers come from the model as it infers; gradients from its plain network (VisionModel::plain_network()), which
// keeps no trace of them. Wherever the network lies, what is asked and what is answered lies on the CPU.
#pragma once

#include "explain/anatomy.h"

namespace nunchi::explain {

// What is to be explained: a class, or why this one and not that one.
struct Target {
  std::int64_t answer = 0;
  std::optional<std::int64_t> instead_of = {};
};

// logits [b, classes] -> [b]: the target's logit, minus the other one's.
Tensor score(const Tensor& logits, const Target& target);

// Of a layer whose values are a map: [channels, rows, columns], float.
struct LayerEvidence {
  Tensor activations;
  Tensor gradients;  // of the score
};

// Of each block: [heads, n, n], float.
struct AttentionEvidence {
  std::vector<Tensor> weights;
  std::vector<Tensor> gradients;  // of the score
};

class Subject {
 public:
  // pixels [1, 3, h, w]. The model must live as long.
  Subject(const tasks::VisionModel& model, const Tensor& pixels);
  // The same with what anatomy_of() gave for a picture of this size.
  Subject(const tasks::VisionModel& model, Tensor pixels, Anatomy anatomy);

  // The same picture, seen by another network of the same shape, with plain weights, that must live as long.
  Subject seen_by(models::Model& network) const;

  const tasks::VisionModel& model() const { return model_; }
  const Tensor& pixels() const { return pixels_; }
  const Anatomy& anatomy() const { return anatomy_; }

  // [b, 3, h, w] -> [b, classes]. No gradients; the fast path, where the model has one.
  Tensor logits(const Tensor& pixels) const;
  const Tensor& logits() const;  // of the picture
  const models::ModelOutput& with_attention() const;

  // Throws Error (usage) where the layer's values are no map.
  Tensor activations(const std::string& layer) const;  // [channels, rows, columns]
  // Nothing below the layer is part of the gradient's graph: a late layer costs little more than a forward.
  LayerEvidence at_layer(const std::string& layer, const Target& target) const;
  Tensor input_gradients(const Tensor& pixels, const Target& target) const;  // of each picture, [b, 3, h, w]
  AttentionEvidence attention(const Target& target) const;

 private:
  models::Model& plain() const;
  // Without gradients.
  models::ModelOutput forward(const Tensor& pixels, const models::ForwardOptions& options = {}) const;
  Tensor on_device(const Tensor& pixels) const;  // a copy, where the network lies
  void require_map(const std::string& layer) const;

  const tasks::VisionModel& model_;
  Tensor pixels_;
  Anatomy anatomy_;
  models::Model* network_ = nullptr;  // instead of the model's own
  mutable Tensor logits_;
  mutable std::optional<models::ModelOutput> with_attention_;
};

}  // namespace nunchi::explain
