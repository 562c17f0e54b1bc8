// train/ema.h: the exponential moving average of a model's weights (Polyak and Juditsky 1992), which often generalises
// better than the last ones.
//
//   train::Ema ema(model, 0.999);
//   ema.update();   // after each step
//   ema.swap();     // the model now has the averages: evaluate, write
//   ema.swap();     // and its own weights again
#pragma once

#include <map>

#include "nn/module.h"
#include "train/named_state.h"

namespace nunchi::train {

// average = decay * average + (1 - decay) * value, over parameters and floating-point buffers; other buffers (counters)
// are copied. The averages start as the values at hand. The model must outlive it and keep its tensors (no freeze
// between two swaps that is not thawed again).
class Ema {
 public:
  Ema(nn::Module& model, double decay);

  void update();  // not while swapped
  void swap();    // exchanges the model's tensors with the averages
  bool is_swapped() const { return swapped_; }

  // The averages under the model's names. The tensors are those in use: copy what must not change.
  NamedTensors state() const;
  // The inverse: copies. Throws Error (model) for a name that is missing or has another shape.
  void restore(const std::map<std::string, Tensor>& state);

 private:
  struct Entry {
    std::string name;
    Tensor* value;
    Tensor average;
  };
  std::vector<Entry> entries_;
  double decay_;
  bool swapped_ = false;
};

}  // namespace nunchi::train
