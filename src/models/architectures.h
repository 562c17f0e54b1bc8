// models/architectures.h: the names under which timm, torchvision and authors publish architectures, with the arguments
// that each name stands for and how its checkpoints want their pictures (assets/models;
// tools/make_architecture_tables.py makes those of the libraries).
//
//   const auto found = find_architecture("vit_base_patch16_224.augreg_in21k", shapes);
//   found.publisher;   // timm
//   found.arguments;   // {"patch_size": 16, "embed_dim": 768, ...}
#pragma once

#include "models/registry.h"

namespace nunchi::models {

struct NamedArchitecture {
  Publisher publisher = Publisher::timm;
  std::string name, tag;            // tag: which of its checkpoints, where the name says it or there is a usual one
  std::string family;               // the class in its publisher's library
  Json arguments = Json::object();  // of that class
  Json pictures = Json::object();   // timm's pretrained_cfg, or the fields of torchvision's preset; null: not known
};

// `name` may carry its publisher in front ("timm/resnet50") and its checkpoint behind ("resnet50.a1_in1k",
// "resnet50.IMAGENET1K_V2"). Of a name that several publishers have, the one whose names the tensors bear is taken:
// torchvision where neither speaks against it. Throws Error (usage) for a name that nobody has, or nunchi not yet.
NamedArchitecture find_architecture(const std::string& name, const std::map<std::string, Shape>& shapes = {});

// The constructor's arguments: those of the architecture, what its class is given from the checkpoint's `pictures`
// where the architecture does not say (classes, pooling, channels, a fixed input size), and `overrides`, which count
// most.
Json arguments_of(const NamedArchitecture& named, const Json& pictures, const Json& overrides = Json::object());

// Every checkpoint that a pattern (*, ?) matches, as "vit_base_patch16_224.augreg_in21k".
struct ListedCheckpoint {
  Publisher publisher;
  std::string name;
  bool supported;
};
std::vector<ListedCheckpoint> list_checkpoints(const std::string& pattern);

// The network of a bare name, without a checkpoint.
Built build_named(const std::string& name);

}  // namespace nunchi::models
