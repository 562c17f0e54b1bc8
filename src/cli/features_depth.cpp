// Views along the blocks: how the class token moves, and what the head would answer.
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/features.h"
#include "core/interrupt.h"
#include "explain/depth.h"
#include "tasks/classify.h"

namespace nunchi::cli {
namespace {

constexpr draw::Color faint = draw::rgb(0x8a94a0);  // on white and on dark paper

std::vector<double> places(std::size_t count) {  // 0, 1, 2 ...
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(static_cast<double>(i));
  return numbers;
}

std::vector<double> mean_of(const std::vector<std::vector<double>>& curves) {
  std::vector<double> mean(curves.front().size());
  for (const auto& curve : curves)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += curve[i] / static_cast<double>(curves.size());
  return mean;
}

// A thin line for each picture, a strong one for their mean.
draw::LineChart curves_chart(const std::string& title, const std::vector<std::vector<double>>& curves,
                             const PageWords& say) {
  draw::LineChart chart{.title = title,
                        .x = {.title = say("after so many blocks (0: the embeddings)"), .whole_numbers = true},
                        .y = {.title = say("cosine"), .greatest = 1}};
  for (std::size_t i = 0; i < std::min(curves.size(), most_shown) && curves.size() > 1; ++i)
    chart.series.push_back({.name = "", .x = places(curves[i].size()), .y = curves[i], .color = faint});
  const auto mean = mean_of(curves);
  chart.series.push_back({.name = curves.size() > 1 ? say("mean") : "",
                          .x = places(mean.size()),
                          .y = mean,
                          .color = draw::series_color(0)});
  return chart;
}

// What one picture's classes are after every block, of those that the end names.
struct Lens {
  std::vector<tasks::Prediction> last;   // best first
  std::vector<tasks::Prediction> after;  // the best after each block
  Tensor probabilities;                  // [depth + 1, classes]
  std::size_t settled = 0;               // the first block from which on the answer is the last one
};

Lens lens_of(const tasks::VisionModel& model, const Tensor& pixels, std::int64_t count) {
  Lens lens{.probabilities = explain::logit_lens(model, pixels).to(at::kDouble).softmax(-1)};
  const auto classes = lens.probabilities.size(1);
  for (auto& best : tasks::most_probable(model.labels(), lens.probabilities, 1)) lens.after.push_back(best.front());
  lens.last = tasks::most_probable(model.labels(), lens.probabilities.slice(0, -1), std::min(count, classes)).front();
  lens.settled = lens.after.size() - 1;
  while (lens.settled > 0 && lens.after[lens.settled - 1].id == lens.last.front().id) --lens.settled;
  return lens;
}

draw::LineChart lens_chart(const Lens& lens, const PageWords& say) {
  draw::LineChart chart{
      .x = {.title = say("after so many blocks"), .whole_numbers = true},
      .y = {.title = say("probability"), .least = 0, .greatest = 1, .format = draw::NumberFormat::percent}};
  for (const auto& answer : lens.last) {
    const auto curve = ops::numbers_of<double>(lens.probabilities.select(1, answer.id));
    chart.series.push_back({.name = answer.label, .x = places(curve.size()), .y = curve});
  }
  return chart;
}

Json lens_as_json(const std::string& file, const Lens& lens) {
  Json after = Json::array();
  for (const auto& answer : lens.after)
    after.push_back({{"id", answer.id}, {"label", answer.label}, {"probability", answer.probability}});
  return {{"file", file}, {"after", after}};
}

}  // namespace

Finding show_drift(Gallery& gallery) {
  const auto& say = gallery.say();
  std::vector<std::vector<double>> step, to_last;
  bool of_class_token = true;
  for (const auto& item : gallery.items()) {
    throw_if_stopped();
    const auto drift = explain::class_token_drift(gallery.model().forward(item.pixels, {.hidden_states = true}));
    step.push_back(drift.step);
    to_last.push_back(drift.to_last);
    of_class_token = drift.of_class_token;
  }
  const std::string token = of_class_token ? "class token" : "mean of the patch tokens";
  Finding finding{.figure = {.title = of_class_token
                                          ? say("How the class token moves from block to block")
                                          : say("How the mean of the patch tokens moves from block to block"),
                             .subtitle = about(gallery, say("{} pictures", step.size())),
                             .panels = {chart_panel(curves_chart(say("to the block before"), step, say)),
                                        chart_panel(curves_chart(say("to the last block"), to_last, say))},
                             .columns = 2,
                             .panel_width = 420,
                             .panel_height = 300}};
  finding.summary = {{"token", token}, {"step", mean_of(step)}, {"to_last", mean_of(to_last)}};
  finding.details = {{"pictures", files_of(gallery.items())}, {"steps", step}, {"to_lasts", to_last}};
  const auto mean = mean_of(to_last);
  for (std::size_t i = 0; i < mean.size(); ++i)
    finding.words.push_back(say("after {:>2} blocks: cosine to the last {:6.3f}", i, mean[i]));
  return finding;
}

Finding show_lens(Gallery& gallery) {
  const auto& say = gallery.say();
  Finding finding{.figure = {.title = say("What the head answers after every block"),
                             .subtitle = about(gallery, say("final norm and head on the tokens of each block")),
                             .columns = 2,
                             .panel_width = 420,
                             .panel_height = 260}};
  Json answers = Json::array(), blocks = Json::array();
  const auto& items = gallery.items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    throw_if_stopped();
    const auto lens = lens_of(gallery.model(), items[i].pixels, gallery.k_or(5));
    const auto words =
        say("{}: {}, settled after {} blocks", short_name(items[i].file), lens.last.front().label, lens.settled);
    answers.push_back(
        {{"file", items[i].file}, {"label", lens.last.front().label}, {"settled_after_blocks", lens.settled}});
    blocks.push_back(lens_as_json(items[i].file, lens));
    finding.tensors.push_back({fmt::format("probabilities_{}", i), lens.probabilities.to(at::kFloat)});
    finding.words.push_back(words);
    if (i >= most_shown) continue;
    auto panel = chart_panel(lens_chart(lens, say));
    panel.title = words;
    finding.figure.panels.push_back(std::move(panel));
  }
  finding.figure.notes = note_of_shown(items.size(), say);
  finding.summary = {{"answers", answers}};
  finding.details = {{"blocks", blocks}};
  return finding;
}

}  // namespace nunchi::cli
