// nn/module.h: what a layer is: named tensors and named children, in the order of their registration.
//
//   struct Mlp : nn::Module {
//     nn::Linear fc1, fc2;
//     Mlp(std::int64_t dim, std::int64_t hidden) : fc1(dim, hidden), fc2(hidden, dim) {
//       child("fc1", fc1);
//       child("fc2", fc2);
//     }
//   };
//
// A constructed module has shapes only (meta tensors, no memory); weights::load or nn::initialise gives the values.
// Children are plain members: a module is neither copied nor moved.
#pragma once

#include <ATen/core/Generator.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/code_scale.h"

namespace nunchi::nn {

// int8 is of the weights and inputs of linear layers; what lies between them is bf16 or fp32, as the processor likes.
enum class Precision { fp32, bf16, int8 };

at::ScalarType activation_dtype(Precision precision);

class Watch;
namespace detail {
extern constinit thread_local const Watch* watching;  // of this thread; null: nobody watches
}

// One registered tensor of a module.
struct Slot {
  std::string name;
  Tensor* tensor;
  Shape shape;
  bool trainable;         // false for buffers such as running means
  bool in_file = false;   // its value is what the checkpoint holds: freezing may let it go, thaw reads it again
  bool released = false;  // freezing let it go
  bool has_int8 = false;  // a weight of which freezing to int8 makes codes,
  bool in_float = false;  // unless it is to stay in floating point
  std::optional<ops::CodeScale> input = {};  // of the codes that a convolution in int8 takes, where it is known
  Tensor original = {};                      // a tensor of our own that freezing cast to another dtype, kept for thaw
};

struct FreezeOptions {
  Precision precision = Precision::fp32;
  std::function<void(const Tensor&)> on_release = [](const Tensor&) {};  // called with each tensor that is let go
  std::function<Tensor(const Slot&)> read = {};  // a released weight again, where it is about to be packed
};

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Every tensor below this module with its full dotted name, parents before children.
  struct Named {
    std::string name;
    Slot* slot;
  };
  std::vector<Named> tensors();
  std::int64_t parameter_count();  // of trainable tensors

  // Every module below this one, parents before children, under the name of its tensors without their last word.
  struct NamedLayer {
    std::string name;
    Module* layer;
  };
  std::vector<NamedLayer> layers();

  bool is_training() const { return training_; }
  void train(bool on);
  // Back to inference for every part below that has parameters, none of which asks for a gradient.
  void rest_frozen_parts();
  // The same for every batch norm below: it normalises by its running statistics, and keeps them.
  void rest_batch_norms();

  // Every tensor. What freezing packs is packed for where the tensors lie: move first.
  void move_to(at::Device device);

  // Random values for training from scratch (nn/initialise.h has the policy). A module's own parameters, such as tokens
  // and position tables, get a truncated normal unless the layer knows better.
  virtual void initialise(const at::Generator& generator);

  // Prepares for inference: packs what has a packed layout, casts the rest to the activation dtype. Use
  // weights::freeze.
  virtual void freeze(const FreezeOptions& options);
  // Drops what freeze made and restores the originals it kept; released tensors stay undefined. Use weights::thaw.
  virtual void thaw();

 protected:
  void parameter(const std::string& name, Tensor& tensor, Shape shape);
  void buffer(const std::string& name, Tensor& tensor, Shape shape, at::ScalarType dtype = at::kFloat);
  void child(const std::string& name, Module& module);

  // What forward gives back, handed through: whoever watches the model sees it, and may change it (nn/watch.h).
  Tensor seen(Tensor y) const {
    if (detail::watching != nullptr) [[unlikely]]
      return show(y);
    return y;
  }

  // Reads a released weight, before freezing packs it.
  static void fetch(Slot& slot, const FreezeOptions& options);
  // The two ways a tensor leaves its plain form when a module freezes.
  void cast(Slot& slot, const FreezeOptions& options);     // to the activation dtype
  void release(Slot& slot, const FreezeOptions& options);  // it lives on in a packed form
  Slot& slot_of(const Tensor& tensor);
  void freeze_children(const FreezeOptions& options);

 private:
  Tensor show(const Tensor& y) const;
  void collect(const std::string& prefix, std::vector<Named>& into);
  void collect_layers(const std::string& prefix, std::vector<NamedLayer>& into);
  std::string layer_name(const std::string& name) const;
  bool is_all_frozen();

  std::vector<Slot> slots_;
  std::vector<std::pair<std::string, Module*>> children_;
  bool training_ = false;
};

// Children named "0", "1", ... as checkpoints number their blocks.
template <class T>
class List : public Module {
 public:
  template <class... Arguments>
  T& add(Arguments&&... arguments) {
    items_.push_back(std::make_unique<T>(std::forward<Arguments>(arguments)...));
    child(std::to_string(items_.size() - 1), *items_.back());
    return *items_.back();
  }
  std::size_t size() const { return items_.size(); }
  T& operator[](std::size_t i) { return *items_[i]; }
  const T& operator[](std::size_t i) const { return *items_[i]; }

 private:
  std::vector<std::unique_ptr<T>> items_;
};

}  // namespace nunchi::nn
