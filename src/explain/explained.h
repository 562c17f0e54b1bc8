// explain/explained.h: pictures explained by several methods, each measured.
//
//   Explainer explainer(model, {.methods = "grad-cam,rollout", .top = 2});
//   const auto explained = explainer.explain(picture);
//   explained.classes[0].label;                           // "Egyptian cat"
//   explained.classes[0].maps[1].scores->deletion.area;   // of rollout
#pragma once

#include "explain/faithfulness.h"
#include "explain/methods.h"
#include "image/decode.h"
#include "tasks/classify.h"

namespace nunchi::explain {

struct ExplainOptions {
  std::string methods = {};           // as methods_named(); empty: usual_methods()
  std::vector<std::int64_t> classes;  // empty: the `top` most probable
  std::int64_t top = 1;
  std::optional<std::int64_t> versus = {};
  Asked asked = {};  // but for its target
  bool scored = true;
  std::int64_t steps = 16;  // of the curves
};

// Told what is done next, and how much of it.
using ExplainProgress = std::function<void(const std::string& what, std::int64_t done, std::int64_t total)>;

struct Scores {
  Curve deletion, insertion;
  // With the map of the same method from the same network with random weights. Near 1: it does not show what was
  // learned (Adebayo et al. 2018). Nothing where one of the two has a single value.
  std::optional<double> random_weights = {};
  std::optional<bool> hit = {};  // of a box, where there are any
  double chance_of_hit = 0;      // of a place chosen by chance

  bool is_as_random() const { return random_weights && *random_weights >= most_like_random; }
  static constexpr double most_like_random = 0.7;
};

struct ExplainedMap {
  const Method* method = nullptr;
  Explanation explanation;
  double seconds = 0;  // without the scores
  std::optional<Scores> scores = {};
};

struct ExplainedClass {
  std::int64_t id = 0;
  std::string label, instead_of;  // of the other class, where it is why this one and not that one
  double probability = 0, logit = 0;
  std::vector<ExplainedMap> maps;
};

struct ExplainedPicture {
  image::Picture seen;  // the part that the network sees (tasks/seen_picture.h)
  Anatomy anatomy;
  std::vector<tasks::Prediction> answers;  // the five most probable; none without classes
  std::vector<ExplainedClass> classes;     // one, without a label, where the model has no classes
  std::vector<Tensor> attentions;          // [heads, n, n] of each block; none where the model has no such weights
};

// What is of the model alone is made once, for all pictures.
class Explainer {
 public:
  Explainer(const tasks::VisionModel& model, ExplainOptions options);  // the model must live as long

  // boxes: of objects, in shares of the whole picture, 0 ... 1. Throws Error (usage) for what the model cannot do,
  // Error (interrupted).
  ExplainedPicture explain(const image::Picture& picture, const std::vector<Box>& boxes = {},
                           const ExplainProgress& progress = {});

 private:
  const tasks::VisionModel& model_;
  ExplainOptions options_;
  Anatomies anatomies_;
  std::unique_ptr<models::Model> random_;  // of the scores
};

}  // namespace nunchi::explain
