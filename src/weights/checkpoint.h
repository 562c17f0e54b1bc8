// weights/checkpoint.h: the tensors of a checkpoint under a model's own names.
//
//   weights::Checkpoint checkpoint(formats::open_weights(directory), key_table);
//   checkpoint.load(model);        // views of the mapped file; throws one report of all that does not fit
//   weights::freeze(model, Precision::fp32, &checkpoint);
//   weights::thaw(model, &checkpoint);  // owned memory again: it can be trained
#pragma once

#include <filesystem>

#include "formats/weight_files.h"
#include "nn/module.h"
#include "weights/key_table.h"

namespace nunchi::weights {

// Loading must not run under InferenceMode: its tensors could never be trained or explained.
class Checkpoint {
 public:
  // Tensors below the names in `replaced` (own ones, such as "head") are not read: load() draws them anew, as for a
  // classifier of another number of classes. load() puts them on `device`.
  Checkpoint(formats::WeightFiles files, KeyTable table, std::vector<std::string> replaced = {},
             at::Device device = at::kCPU);

  // Gives every tensor of the module its value in fp32 (indices as they are). Tensors of other dtypes and joined ones
  // are owned, the rest are views of the file; on another device all are owned. Throws Error (model) with all missing,
  // unexpected and misshaped names. Replaced heads are drawn from `seed`.
  void load(nn::Module& module, std::uint64_t seed = 0) const;
  // The same for a module that is frozen next: weights that the file has in eight bits are left to freeze(), which
  // unrolls one at a time.
  void load_to_freeze(nn::Module& module) const;

  // The same check without reading: throws the same report.
  void verify(nn::Module& module) const;

  // One tensor under its own name, as load() gives it: in the CPU's memory, and on the device.
  Tensor read(const std::string& own_name) const;
  Tensor read_onto_device(const std::string& own_name) const;

  // Gives memory of the file that this tensor shows back to the system.
  void let_go(const Tensor& tensor) const;

  // Throws Error (model) where the file shrank while it was in use.
  void check() const { files_.check(); }

  // Whether any weight is stored in int8 (weights/int8_storage.h): what is not then stays in floating point, too.
  bool has_int8() const;
  bool is_in_int8(const std::string& own_name) const;

  const KeyTable& table() const { return table_; }
  const std::string& prefix() const { return prefix_; }

 private:
  Tensor read_theirs(const std::string& name) const;
  void load(nn::Module& module, std::uint64_t seed, bool leaves_int8) const;
  std::optional<ops::CodeScale> input_scale(const std::string& own_name) const;
  bool is_replaced(const std::string& own_name) const;

  formats::WeightFiles files_;
  KeyTable table_;
  std::string prefix_;
  std::vector<std::string> replaced_;
  at::Device device_;
};

// Prepares for inference at a precision: packs layer by layer and lets each plain weight go that the checkpoint still
// holds. Tensors that the checkpoint does not hold (trained, initialised) are kept for thaw. Without a checkpoint, all
// are kept.
void freeze(nn::Module& module, nn::Precision precision, const Checkpoint* checkpoint = nullptr);

// Undoes freeze; every tensor ends up in owned memory, fp32, ready for training.
void thaw(nn::Module& module, const Checkpoint* checkpoint = nullptr);

// Writes the module's tensors under the publisher's names, `prefix` being that of the backbone. The inverse of load().
struct WriteOptions {
  at::ScalarType dtype = at::kFloat;  // of the floating-point tensors
  bool int8 = false;                  // of the weights that freezing to int8 makes codes of
};
void write_checkpoint(const std::filesystem::path& path, nn::Module& module, const KeyTable& table,
                      const std::string& prefix, const WriteOptions& options = {});

// A tensor of the files as it is: a view of the mapped file where its data is aligned.
Tensor tensor_of(const formats::WeightFiles& files, const std::string& name);

formats::TensorView view_of(const std::string& name, const Tensor& contiguous);  // of a CPU tensor, for writing

}  // namespace nunchi::weights
