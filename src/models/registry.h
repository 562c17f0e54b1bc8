// models/registry.h: which networks there are, under the names that each publisher gives them.
//
//   auto built = models::build({.publisher = Publisher::transformers, .name = "vit", .config = config,
//                               .shapes = weights.shapes()});   // shapes only
//   weights::Checkpoint checkpoint(std::move(weights), built.keys);
//   checkpoint.load(*built.model);
#pragma once

#include <array>
#include <map>
#include <memory>

#include "core/json.h"
#include "models/model.h"
#include "weights/key_table.h"

namespace nunchi::models {

// Whose names a checkpoint uses for its architecture and its tensors. `original`: the authors' own repository (DINO,
// DINOv2), or no library at all (the ResNets of CIFAR-10, SimpleCNN).
enum class Publisher { transformers, timm, torchvision, original };

std::string_view publisher_name(Publisher publisher);

// What a checkpoint says about its model.
struct Source {
  Publisher publisher = Publisher::transformers;
  std::string name;                     // transformers: model_type; otherwise the architecture ("vit_base_patch16_224")
  Json config = Json::object();         // transformers: config.json; otherwise the arguments of the class's constructor
  std::map<std::string, Shape> shapes;  // of the file's tensors by name; empty where there is no file
  bool sizes_from_shapes = false;       // a bare state dict: the name says the structure, the tensors the sizes
  std::optional<std::int64_t> classes = {};  // of a head that takes the place of the checkpoint's; 0: none

  bool has_key(const std::string& key) const { return shapes.contains(key); }
  // The shape of a tensor, nothing where it is absent.
  std::optional<Shape> shape(const std::string& key) const;
};

struct Built {
  std::unique_ptr<Model> model;
  weights::KeyTable keys;
  std::vector<std::string> heads = {};  // names of the model's classifiers: what --classes replaces
};

// A model in the words of another publisher.
struct Published {
  Json config;                            // transformers: config.json; timm: "architecture" and "model_args"
  weights::KeyTable keys;                 // its names for the tensors
  std::string prefix;                     // that it puts before those of the backbone
  std::vector<std::string> remarks = {};  // what it can only say nearly
};

// One architecture, under all its names.
struct Family {
  // transformers: a model_type; the others: a class.
  struct Name {
    Publisher publisher;
    std::string_view name;
  };
  std::string_view name, paper, reads;  // reads: what of each publisher, in words
  std::vector<Name> names;
  Built (*build)(const Source&);
  // Throws Error (usage) where the publisher's classes lack what the model has. Null: not yet.
  Published (*publish)(const Model&, Publisher) = nullptr;
};
const std::vector<Family>& families();

// By publisher and name. Throws Error (model) for a name that is not there, or known and not supported, with the
// nearest supported one.
Built build(const Source& source);

// The model built from `source` in the words of another publisher. Throws Error (usage) where that cannot be.
Published publish(const Source& source, const Model& model, Publisher publisher);

// For readers of config.json: the number of labels (2 where nothing is said, transformers' default), a
// size that is one number or [height, width], and a check that sizes are positive and not absurd.
std::int64_t label_count(const Json& config);
std::array<std::int64_t, 2> pair_or(const Json& config, const std::string& field, std::int64_t fallback);
void check_sizes(const Json& config, const std::vector<std::int64_t>& sizes, std::int64_t largest = 1 << 20);

}  // namespace nunchi::models
