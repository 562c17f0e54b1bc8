#include "explain/explained.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/progress.h"
#include "core/timing.h"
#include "image/seen_part.h"
#include "tasks/attention_map.h"
#include "tasks/seen_picture.h"

namespace nunchi::explain {
namespace {

constexpr std::int64_t shown_answers = 5;

// Random weights, drawn as for training from scratch.
std::unique_ptr<models::Model> random_network(const tasks::VisionModel& model, std::uint64_t seed) {
  auto network = model.network_of_shapes();
  network->initialise(at::detail::createCPUGenerator(seed));
  network->move_to(model.device());
  return network;
}

// From shares of the picture to pixels of what the network sees.
std::vector<Box> seen_boxes(const std::vector<Box>& boxes, const image::Picture& picture,
                            const tasks::VisionModel& model, nn::Grid image) {
  const auto part = image::seen_part(model.transform(), {picture.height, picture.width});
  const auto x = [&](double share) {
    return (share * picture.width - part.left) / (part.right - part.left) * static_cast<double>(image[1]);
  };
  const auto y = [&](double share) {
    return (share * picture.height - part.top) / (part.bottom - part.top) * static_cast<double>(image[0]);
  };
  std::vector<Box> seen;
  for (const auto& box : boxes)
    seen.push_back({.left = x(box.left), .top = y(box.top), .right = x(box.right), .bottom = y(box.bottom)});
  return seen;
}

// What is asked of methods that are not among these would be ignored.
void require_use(const Asked& asked, const std::vector<const Method*>& methods) {
  const auto require = [&](bool given, const char* option, std::initializer_list<std::string_view> users) {
    const bool used = std::ranges::any_of(
        methods, [&](const Method* method) { return std::ranges::find(users, method->name) != users.end(); });
    if (given && !used) {
      throw Error(ErrorKind::usage, fmt::format("{}: is of {}; none of the methods that are shown is: name it with "
                                                "--method",
                                                option, fmt::join(users, ", ")));
    }
  };
  require(asked.head.has_value(), "--head", {"attention"});
  require(asked.discarded > 0, "--discard", {"rollout"});
  require(asked.samples.has_value(), "--samples", {"integrated-gradients", "smooth-grad", "rise"});
}

// One picture, for one class after the other.
class PictureMaps {
 public:
  // random: a network without what was learned; null where nothing is scored.
  PictureMaps(const Subject& subject, models::Model* random, const ExplainOptions& options, std::vector<Box> boxes,
              const ExplainProgress& progress)
      : subject_(subject),
        options_(options),
        boxes_(std::move(boxes)),
        chance_of_hit_(random != nullptr ? chance_of_hit(subject.anatomy().image, boxes_) : 0),
        progress_(progress),
        methods_(options.methods.empty() ? usual_methods(subject) : methods_named(options.methods, subject)) {
    require_use(options.asked, methods_);
    if (random != nullptr) random_subject_.emplace(subject.seen_by(*random));
  }

  std::vector<ExplainedMap> of(const Target& target) {
    std::vector<ExplainedMap> maps;
    for (const Method* method : methods_) maps.push_back(explained(*method, target));
    return maps;
  }

 private:
  struct Made {
    Explanation explanation;
    double seconds = 0;
    Tensor with_random_weights;
  };

  ExplainedMap explained(const Method& method, const Target& target) {
    Asked asked = options_.asked;
    asked.target = target;
    const auto made = method.depends_on_class ? make(method, asked) : made_once(method, asked);
    ExplainedMap map{.method = &method, .explanation = made.explanation, .seconds = made.seconds};
    if (random_subject_) map.scores = scores(method, asked, made);
    return map;
  }

  const Made& made_once(const Method& method, const Asked& asked) {
    const auto known = of_any_class_.find(&method);
    return known != of_any_class_.end() ? known->second
                                        : of_any_class_.emplace(&method, make(method, asked)).first->second;
  }

  Made make(const Method& method, Asked asked) const {
    asked.work.on_progress = progress_of(std::string(method.name));
    asked.work.on_progress(0, 1);
    const auto begin = Clock::now();
    Made made{.explanation = explain::explain(method, subject_, asked)};
    made.seconds = seconds_since(begin);
    if (!random_subject_) return made;
    asked.work.on_progress = progress_of(fmt::format("{} with random weights", method.name));
    ++asked.work.seed;  // the same noise would make any two maps alike
    made.with_random_weights = explain::explain(method, *random_subject_, asked).map;
    return made;
  }

  Scores scores(const Method& method, Asked asked, const Made& made) const {
    asked.work.on_progress = progress_of("scores of " + std::string(method.name));
    const Tensor& map = made.explanation.map;
    Scores scores;
    if (subject_.model().network().classes() > 0) {
      scores.deletion = deletion_curve(subject_, asked.target, map, options_.steps, asked.work);
      scores.insertion = insertion_curve(subject_, asked.target, map, options_.steps, asked.work);
    }
    scores.random_weights = rank_correlation(map, made.with_random_weights);
    if (!boxes_.empty()) {
      scores.hit = hits(map, subject_.anatomy().image, boxes_);
      scores.chance_of_hit = chance_of_hit_;
    }
    return scores;
  }

  Progress progress_of(const std::string& what) const {
    return [this, what](std::int64_t done, std::int64_t total) {
      if (progress_) progress_(what, done, total);
    };
  }

  const Subject& subject_;
  std::optional<Subject> random_subject_;
  const ExplainOptions& options_;
  std::vector<Box> boxes_;
  double chance_of_hit_;
  const ExplainProgress& progress_;
  std::vector<const Method*> methods_;
  std::map<const Method*, Made> of_any_class_;
};

// The named ones, or the most probable of those that are not what the answer is compared with.
std::vector<std::int64_t> classes_of(const ExplainOptions& options, const std::vector<tasks::Prediction>& best) {
  if (!options.classes.empty()) return options.classes;
  std::vector<std::int64_t> classes;
  for (const auto& answer : best)
    if (answer.id != options.versus && std::ssize(classes) < options.top) classes.push_back(answer.id);
  if (classes.empty()) throw Error(ErrorKind::usage, "--versus: expected a model of two classes or more, found one");
  return classes;
}

void explain_classes(ExplainedPicture& explained, const Subject& subject, const ExplainOptions& options,
                     PictureMaps& maps) {
  const auto& model = subject.model();
  const auto classes = model.network().classes();
  const auto best =
      tasks::top_predictions(model, subject.logits(), std::min(std::max(shown_answers, options.top + 1), classes))
          .front();
  explained.answers.assign(best.begin(), best.begin() + std::min<std::int64_t>(shown_answers, std::ssize(best)));
  const Tensor probabilities = at::softmax(subject.logits()[0], 0);
  for (const auto id : classes_of(options, best)) {
    explained.classes.push_back({.id = id,
                                 .label = model.label(id),
                                 .instead_of = options.versus ? model.label(*options.versus) : "",
                                 .probability = probabilities[id].item<double>(),
                                 .logit = subject.logits()[0][id].item<double>(),
                                 .maps = maps.of({.answer = id, .instead_of = options.versus})});
  }
}

}  // namespace

Explainer::Explainer(const tasks::VisionModel& model, ExplainOptions options)
    : model_(model),
      options_(std::move(options)),
      anatomies_(model),
      random_(options_.scored ? random_network(model, options_.asked.work.seed + 1) : nullptr) {}

ExplainedPicture Explainer::explain(const image::Picture& picture, const std::vector<Box>& boxes,
                                    const ExplainProgress& progress) {
  const Tensor pixels = tasks::as_batch(image::apply(model_.transform(), picture));
  const Subject subject(model_, pixels, anatomies_.of(pixels));
  ExplainedPicture explained{.seen = tasks::seen_picture(picture, model_.transform()), .anatomy = subject.anatomy()};
  PictureMaps maps(subject, random_.get(), options_, seen_boxes(boxes, picture, model_, subject.anatomy().image),
                   progress);
  if (model_.network().classes() > 0)
    explain_classes(explained, subject, options_, maps);
  else
    explained.classes.push_back({.maps = maps.of({})});
  if (subject.anatomy().has_attention) {
    for (const Tensor& weights : subject.with_attention().attentions) explained.attentions.push_back(weights[0]);
  }
  return explained;
}

}  // namespace nunchi::explain
