#include "explain/explained.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <algorithm>

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

class Explainer {
 public:
  Explainer(const Subject& subject, const ExplainOptions& options, std::vector<Box> boxes)
      : subject_(subject),
        options_(options),
        boxes_(std::move(boxes)),
        methods_(options.methods.empty() ? usual_methods(subject) : methods_named(options.methods, subject)) {
    if (options.scored) random_ = random_network(subject.model(), options.asked.work.seed + 1);
  }

  std::vector<ExplainedMap> maps(const Target& target) {
    std::vector<ExplainedMap> maps;
    for (const Method* method : methods_) maps.push_back(explained(*method, target));
    return maps;
  }

 private:
  ExplainedMap explained(const Method& method, const Target& target) {
    Asked asked = options_.asked;
    asked.target = target;
    asked.work.on_progress = progress_of(std::string(method.name));
    asked.work.on_progress(0, 1);
    const auto begin = Clock::now();
    ExplainedMap map{.method = &method, .explanation = explain(method, subject_, asked)};
    map.seconds = seconds_since(begin);
    if (options_.scored) map.scores = scores(method, asked, map.explanation.map);
    return map;
  }

  Scores scores(const Method& method, Asked asked, const Tensor& map) {
    asked.work.on_progress = progress_of("scores of " + std::string(method.name));
    Scores scores;
    const bool answers = subject_.model().network().classes() > 0;
    if (answers) scores.deletion = deletion_curve(subject_, asked.target, map, options_.steps, asked.work);
    if (answers) scores.insertion = insertion_curve(subject_, asked.target, map, options_.steps, asked.work);
    ++asked.work.seed;  // the same noise would make any two maps alike
    scores.random_weights = rank_correlation(map, explain(method, subject_.seen_by(*random_), asked).map);
    if (!boxes_.empty()) scores.hit = hits(map, subject_.anatomy().image, boxes_);
    return scores;
  }

  std::function<void(std::int64_t, std::int64_t)> progress_of(const std::string& what) const {
    return [this, what](std::int64_t done, std::int64_t total) { options_.on_progress(what, done, total); };
  }

  const Subject& subject_;
  const ExplainOptions& options_;
  std::vector<Box> boxes_;
  std::vector<const Method*> methods_;
  std::unique_ptr<models::Model> random_;
};

std::vector<std::int64_t> classes_of(const ExplainOptions& options, const std::vector<tasks::Prediction>& best) {
  if (!options.classes.empty()) return options.classes;
  std::vector<std::int64_t> classes;
  for (const auto& answer : best) classes.push_back(answer.id);
  classes.resize(static_cast<std::size_t>(std::min<std::int64_t>(options.top, std::ssize(classes))));
  return classes;
}

void explain_classes(ExplainedPicture& explained, const Subject& subject, const ExplainOptions& options,
                     Explainer& explainer) {
  const auto& model = subject.model();
  const auto classes = model.network().classes();
  const auto best =
      tasks::top_predictions(model, subject.logits(), std::min(std::max(shown_answers, options.top), classes)).front();
  explained.answers.assign(best.begin(), best.begin() + std::min<std::int64_t>(shown_answers, std::ssize(best)));
  const Tensor probabilities = at::softmax(subject.logits()[0], 0);
  for (const auto id : classes_of(options, best)) {
    explained.classes.push_back({.id = id,
                                 .label = model.label(id),
                                 .probability = probabilities[id].item<double>(),
                                 .logit = subject.logits()[0][id].item<double>(),
                                 .maps = explainer.maps({.answer = id, .instead_of = options.versus})});
  }
}

}  // namespace

ExplainedPicture explain_picture(const tasks::VisionModel& model, const image::Picture& picture,
                                 const ExplainOptions& options) {
  const Subject subject(model, tasks::as_batch(image::apply(model.transform(), picture)));
  ExplainedPicture explained{.seen = tasks::seen_picture(picture, model.transform()), .anatomy = subject.anatomy()};
  Explainer explainer(subject, options, seen_boxes(options.boxes, picture, model, subject.anatomy().image));
  if (model.network().classes() > 0)
    explain_classes(explained, subject, options, explainer);
  else
    explained.classes.push_back({.maps = explainer.maps({})});
  if (subject.anatomy().has_attention) {
    for (const Tensor& weights : subject.with_attention().attentions) explained.attentions.push_back(weights[0]);
  }
  return explained;
}

}  // namespace nunchi::explain
