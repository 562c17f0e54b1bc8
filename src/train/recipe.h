// train/recipe.h: all that decides what a training gives, as plain data: a YAML file and `section.field=value` words.
//
//   const Recipe recipe = train::read_recipe("recipes/cifar10-vit.yaml", {"optimizer.learning_rate=1e-3"});
//   write_file(run / "recipe.yaml", to_yaml(train::to_json(recipe)));   // complete: every field with its value
//
// A field that a file leaves out has the default written here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace nunchi::train {

// Either `arch` (from scratch) or `checkpoint` (fine-tuned, with a new head where the classes are others).
struct ModelRecipe {
  std::string arch;                 // as `nunchi models` lists it: "timm/vit_tiny_patch16_224"
  Json arguments = Json::object();  // of its class's constructor: {"img_size": 32, "patch_size": 4}
  std::string checkpoint;           // a model folder, a name on the hub, or with `arch` a file of weights
  bool freeze_backbone = false;     // only the head trains
  bool freeze_batch_norm = false;   // it keeps the checkpoint's running statistics
  double backbone_rate_scale = 1;   // of the learning rate, for all but the head
};

struct DataRecipe {
  std::string path;                  // what data::open_dataset reads
  std::string train = "train";       // the split; empty where the dataset has none
  std::string validation;            // the split; empty: a share of the training split
  double validation_fraction = 0.1;  // 0: no validation
  std::vector<std::string> classes;  // only these, in this order; empty: all
  std::int64_t limit = 0;            // training pictures, evenly from all; 0: all
  std::int64_t batch = 128;          // pictures per forward
  std::int64_t workers = 2;          // threads that decode and augment
  bool keep_decoded = true;          // in memory, as far as 2 GiB go
};

// What is empty is the checkpoint's own, or what the architecture's checkpoints have.
struct AugmentRecipe {
  std::vector<double> size;                  // height, width; empty: what the model takes
  std::string interpolation;                 // bilinear, bicubic, ...
  std::vector<double> mean, std;             // of x / 255
  std::string crop = "none";                 // none, random (with padding) or resized
  std::int64_t padding = 4;                  // random: pixels on each side
  std::vector<double> scale{0.08, 1};        // resized: the part's share of the area
  std::vector<double> ratio{0.75, 4.0 / 3};  // resized: width / height
  double flip = 0.5, vertical_flip = 0;      // probabilities
  double rotation = 0;                       // the largest angle, in degrees
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;
  double grayscale = 0;  // probability
  std::int64_t rand_augment_operations = 0, rand_augment_magnitude = 9;
  double erasing = 0;  // probability
};

struct OptimizerRecipe {
  std::string kind = "adamw";  // or sgd
  double learning_rate = 1e-3, weight_decay = 0.05;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // adamw
  double momentum = 0.9;                          // sgd
  bool nesterov = false;
  double clip_norm = 1;         // of all gradients together; 0: as they are
  std::int64_t accumulate = 1;  // batches per step
};

struct ScheduleRecipe {
  std::string kind = "cosine";  // constant, step
  std::int64_t epochs = 10;
  double warmup_epochs = 0;
  double final_rate = 0;                       // cosine: where it ends
  double step_epochs = 30, step_factor = 0.1;  // step
};

struct LossRecipe {
  double label_smoothing = 0;
};

struct RegularisationRecipe {
  double drop_path = 0, dropout = 0;
  double mixup = 0, cutmix = 0;  // alpha of the Beta distribution; 0: never
  double mix_probability = 1, switch_probability = 0.5;
  double ema_decay = 0;  // 0: no average of the weights
};

struct RunRecipe {
  std::int64_t seed = 0;
  std::string precision = "fp32";  // or bf16: automatic mixed precision
  std::int64_t log_every = 50;     // steps
  double save_every_seconds = 60;
};

struct Recipe {
  ModelRecipe model;
  DataRecipe data;
  AugmentRecipe augment;
  OptimizerRecipe optimizer;
  ScheduleRecipe schedule;
  LossRecipe loss;
  RegularisationRecipe regularisation;
  RunRecipe run;
};

// Later words count more; a word may name what lies inside model.arguments ("model.arguments.depth=4"). Throws Error
// (usage) that names file and line (or the word), what is wrong, and for an unknown field the nearest there is.
Recipe read_recipe(const std::filesystem::path& path, const std::vector<std::string>& overrides = {});
Recipe parse_recipe(const std::string& yaml, const std::string& name, const std::vector<std::string>& overrides = {});

// Every field, in the order above.
Json to_json(const Recipe& recipe);
Recipe recipe_from_json(const Json& json, const std::string& name);

// What differs between two recipes in words ("optimizer.learning_rate: 0.001, was 0.01"), leaving out what does not
// change the result (workers, how often is logged and saved).
std::vector<std::string> differences(const Recipe& now, const Recipe& before);

}  // namespace nunchi::train
