// formats/state_dict.h: which tensors of a pickled checkpoint are the model's, and under which names.
//
// People save the state dict alone, or wrapped: {"model": ..., "optimizer": ..., "epoch": ...}. The wrappers are opened
// in this order, as timm and DINO's own evaluation do: averaged weights before those they average, the teacher before
// the student, then the usual names of a plain state dict. Without any of them, it is the one dict that holds tensors.
//
// Prefixes that all names share and that say how the model was run, not what it is, are taken off: "module."
// (DataParallel), "_orig_mod." (torch.compile), "backbone.". Where the other names are the projection head of a
// self-supervised training ("head.mlp.", "dino_head.", ...), the backbone alone is the model and the head is left out.
//
//   const StateDict found = find_state_dict(tree, "model.pth");
//   for (const auto& [name, tensor] : found.tensors) ...
#pragma once

#include <map>
#include <string>

#include "formats/pickle.h"

namespace nunchi::formats {

struct StateDict {
  std::map<std::string, const PickledTensor*> tensors;  // of the tree
  std::string path;                                     // of the wrappers: "", "teacher", "state_dict/model"
  std::string prefix;                                   // what was taken off the names: "", "module.backbone."
};

// Entries that are no tensors are passed over. Throws Error (model) with `file` where there is no state dict, or more
// than one could be meant. `as_they_are`: neither wrappers nor prefixes are touched, for shards that an index
// describes.
StateDict find_state_dict(const PickleTree& tree, const std::string& file, bool as_they_are = false);

}  // namespace nunchi::formats
