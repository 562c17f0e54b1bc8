// nn/watch.h: sees what the layers of a model give back while it runs, and may put something else in its place. It is
// the one way by which explanations and training methods ask a model for what lies inside it.
//
//   Tensor tokens;
//   const nn::Watch watch(model, [&](const std::string& layer, const Tensor& y) {
//     if (layer == "blocks.11.norm1") tokens = y;
//     return y;                                    // what the model goes on with
//   });
//   model.forward(pixels);
//
// A layer bears the name of its tensors in the model's own checkpoint, without their last word. What it gives back
// holds all that it was asked to do in one go: an activation, a residual added inside. Only the thread that made the
// watch is watched, while it lives; nothing is left behind, and a model that nobody watches pays one branch a layer.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "core/one_thread.h"
#include "nn/module.h"

namespace nunchi::nn {

class Watch {
 public:
  using Look = std::function<Tensor(const std::string& layer, const Tensor& y)>;

  // The model must not get further layers while it is watched. A watch of the same thread that was made before sees
  // nothing meanwhile.
  Watch(Module& model, Look look);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  friend class Module;
  Tensor show(const Module& layer, const Tensor& y) const;

  std::unordered_map<const Module*, std::string> names_;
  Look look_;
  const Watch* previous_;
  OneThread one_thread_;
};

}  // namespace nunchi::nn
