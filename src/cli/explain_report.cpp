#include "cli/explain_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "cli/heat_map.h"
#include "cli/short_duration.h"
#include "draw/figure.h"
#include "draw/html_report.h"
#include "draw/line_chart.h"
#include "explain/attention.h"
#include "image/encode.h"

namespace nunchi::cli {
namespace {

using explain::ExplainedClass;
using explain::ExplainedMap;

constexpr std::int64_t most_clickable_patches = 400;  // a map for each patch of each block

// A few pixels that are far above all others would leave the rest dark: the colours end at the 99.5th percentile.
draw::OverlayOptions colors_of(const Tensor& map, draw::ColorMap colors) {
  draw::OverlayOptions options = {.colors = colors, .opacity = 0.55};
  const float least = map.min().item<float>();
  const auto sorted = std::get<0>(map.flatten().sort());
  const auto place = static_cast<std::int64_t>(0.995 * static_cast<double>(sorted.numel() - 1));
  options.least = least;
  options.greatest = std::max(sorted[place].item<float>(), least + std::numeric_limits<float>::min());
  return options;
}

std::string note_of(const ExplainedMap& map, const PageWords& say) {
  if (!map.scores) return {};
  const auto& scores = *map.scores;
  std::string note;
  if (!scores.deletion.shares.empty())
    note = say("deletion {:.2f}, insertion {:.2f}", scores.deletion.area, scores.insertion.area);
  if (scores.is_as_random()) note += (note.empty() ? "" : "; ") + say("as with random weights");
  return note;
}

// --- the parts of the page

void add_maps(draw::HtmlReport& page, const ExplainedFile& file, const ExplainedClass& shown,
              const ExplainStyle& style) {
  std::vector<draw::HtmlGalleryItem> items;
  items.push_back({.picture = {draw::data_uri(image::encode_jpeg(file.explained.seen), "image/jpeg"), file.name(),
                               title_of(shown, style.say)},
                   .title = style.say("picture")});
  for (const auto& map : shown.maps) {
    const auto overlaid =
        draw::overlay(file.explained.seen, heat_of(map.explanation.map), colors_of(map.explanation.map, style.colors));
    const auto description = style.say("{} of {}", map.method->name, file.name());
    items.push_back(
        {.picture = {draw::data_uri(image::encode_jpeg(overlaid), "image/jpeg"), description, note_of(map, style.say)},
         .title = std::string(map.method->name)});
  }
  page.gallery({.items = std::move(items), .least_width = 200, .whole = true});
}

void add_scores(draw::HtmlReport& page, const ExplainedClass& shown, const PageWords& say) {
  using enum draw::HtmlBest;
  draw::HtmlTable table{
      .head = {say("method"), say("deletion"), say("insertion"), say("random weights"), say("time"), say("layer")},
      .best = {none, least, greatest, none, least, none},
      .sortable = true};
  for (const auto& map : shown.maps) {
    const auto& s = map.scores;
    const bool curves = s && !s->deletion.shares.empty();
    table.rows.push_back(
        {std::string(map.method->name), curves ? fmt::format("{:.3f}", s->deletion.area) : "-",
         curves ? fmt::format("{:.3f}", s->insertion.area) : "-",
         s && s->random_weights ? fmt::format("{:.2f}{}", *s->random_weights, s->is_as_random() ? " (!)" : "") : "-",
         short_duration(map.seconds), map.explanation.layer});
    table.numbers.push_back(
        {draw::no_number, curves ? s->deletion.area : draw::no_number, curves ? s->insertion.area : draw::no_number,
         s ? s->random_weights.value_or(draw::no_number) : draw::no_number, map.seconds, draw::no_number});
  }
  page.table(table);
}

void add_curves(draw::HtmlReport& page, const ExplainedClass& shown, const PageWords& say) {
  if (shown.maps.empty() || !shown.maps.front().scores || shown.maps.front().scores->deletion.shares.empty()) return;
  for (const bool deletion : {true, false}) {
    draw::LineChart chart{
        .title = deletion ? say("Deletion: less is better") : say("Insertion: more is better"),
        .x = {.title = deletion ? say("pixels taken away, the most important first")
                                : say("pixels put back, the most important first"),
              .format = draw::NumberFormat::percent},
        .y = {.title = say("probability of the class"), .least = 0, .format = draw::NumberFormat::percent}};
    for (const auto& map : shown.maps) {
      const auto& curve = deletion ? map.scores->deletion : map.scores->insertion;
      chart.series.push_back({.name = std::string(map.method->name),
                              .x = curve.shares,
                              .y = curve.probabilities,
                              .dashed = chart.series.size() >= 6});
    }
    page.drawing(draw::drawing(chart),
                 deletion ? say("deletion curves of all methods") : say("insertion curves of all methods"));
  }
}

// What the class token reads, in every head of every block.
void add_heads(draw::HtmlReport& page, const ExplainedFile& file, const ExplainStyle& style) {
  const auto& [seen, anatomy, answers, classes, attentions] = file.explained;
  const auto& say = style.say;
  const bool has_class_token = anatomy.prefix_tokens > anatomy.registers;
  draw::HtmlExplorer explorer{
      .title = has_class_token ? say("What the class token reads") : say("What all patches read"),
      .picture = seen,
      .description = file.name(),
      .axes = {{say("block"), {}, attentions.size() - 1}, {say("head"), {say("mean")}}},
      .rows = static_cast<int>(anatomy.grid[0]),
      .columns = static_cast<int>(anatomy.grid[1]),
      .colors = style.colors};
  const auto heads = attentions.front().size(0);
  for (std::int64_t head = 0; head < heads; ++head) explorer.axes[1].choices.push_back(std::to_string(head));
  for (std::size_t block = 0; block < attentions.size(); ++block) {
    explorer.axes[0].choices.push_back(std::to_string(block));
    explorer.maps.push_back(ops::numbers_of<float>(explain::from_class_token(attentions[block].mean(0), anatomy)));
    for (std::int64_t head = 0; head < heads; ++head)
      explorer.maps.push_back(ops::numbers_of<float>(explain::from_class_token(attentions[block][head], anatomy)));
  }
  page.explorer(explorer);
}

// The mean over the heads, from each patch to all others.
void add_patches(draw::HtmlReport& page, const ExplainedFile& file, const ExplainStyle& style) {
  const auto& [seen, anatomy, answers, classes, attentions] = file.explained;
  const auto& say = style.say;
  const auto patches = anatomy.grid[0] * anatomy.grid[1];
  if (patches > most_clickable_patches) return;
  draw::HtmlExplorer explorer{.title = say("What a patch reads: choose one"),
                              .picture = seen,
                              .description = file.name(),
                              .axes = {{say("block"), {}, attentions.size() - 1}},
                              .rows = static_cast<int>(anatomy.grid[0]),
                              .columns = static_cast<int>(anatomy.grid[1]),
                              .colors = style.colors};
  for (std::size_t block = 0; block < attentions.size(); ++block) {
    explorer.axes[0].choices.push_back(std::to_string(block));
    const Tensor mean = attentions[block].mean(0);
    auto maps = ops::numbers_of<float>(explain::from_class_token(mean, anatomy));
    const auto others = ops::numbers_of<float>(mean.slice(0, anatomy.prefix_tokens).slice(1, anatomy.prefix_tokens));
    maps.insert(maps.end(), others.begin(), others.end());
    explorer.maps.push_back(std::move(maps));
  }
  page.explorer(explorer);
}

// A dot for each head over the blocks.
draw::LineChart chart_of_heads(const std::vector<Tensor>& attentions, const std::string& title, const std::string& unit,
                               const std::function<Tensor(const Tensor&)>& measure, const PageWords& say) {
  draw::LineChart chart{.title = title,
                        .x = {.title = say("block"), .whole_numbers = true},
                        .y = {.title = unit, .least = 0},
                        .height = 320};
  const auto heads = attentions.front().size(0);
  draw::Series dots{.name = say("{} heads", heads), .joined = false}, mean{.name = say("their mean")};
  for (std::size_t block = 0; block < attentions.size(); ++block) {
    const Tensor values = measure(attentions[block]);
    for (const float value : ops::numbers_of<float>(values)) {
      dots.x.push_back(static_cast<double>(block));
      dots.y.push_back(value);
    }
    mean.x.push_back(static_cast<double>(block));
    mean.y.push_back(values.mean().item<double>());
  }
  chart.series = {dots, mean};
  return chart;
}

void add_head_statistics(draw::HtmlReport& page, const ExplainedFile& file, const PageWords& say) {
  const auto& anatomy = file.explained.anatomy;
  const auto& attentions = file.explained.attentions;
  const auto distance = chart_of_heads(
      attentions, say("How far each head looks"), say("mean distance, patches"),
      [&](const Tensor& weights) { return explain::attention_distance(weights, anatomy); }, say);
  const auto entropy = chart_of_heads(
      attentions, say("How widely each head spreads its attention"), say("entropy, nats"),
      [](const Tensor& weights) { return explain::attention_entropy(weights); }, say);
  for (const auto* chart : {&distance, &entropy}) page.drawing(draw::drawing(*chart), chart->title);
  page.paragraph(
      say("A head that reads every token alike has an entropy of {:.2f}, one that reads a single token has none.",
          std::log(static_cast<double>(attentions.front().size(-1)))));
}

void add_file(draw::HtmlReport& page, const ExplainedFile& file, const ExplainStyle& style) {
  page.heading(file.name());
  for (const auto& shown : file.explained.classes) {
    if (!shown.label.empty()) page.paragraph(title_of(shown, style.say));
    add_maps(page, file, shown, style);
    add_scores(page, shown, style.say);
    page.details(style.say("Deletion and insertion curves"), [&] { add_curves(page, shown, style.say); });
  }
  if (file.explained.attentions.empty()) return;
  add_heads(page, file, style);
  add_patches(page, file, style);
  page.details(style.say("Every head, measured"), [&] { add_head_statistics(page, file, style.say); });
}

void add_methods(draw::HtmlReport& page, const std::vector<ExplainedMap>& maps, const PageWords& say) {
  page.heading(say("How to read it"));
  std::vector<draw::HtmlDefinition> definitions;
  for (const auto& map : maps) {
    const auto summary = say(map.method->summary);
    definitions.push_back(
        {std::string(map.method->name), map.method->depends_on_class
                                            ? fmt::format("{} ({})", summary, map.method->paper)
                                            : say("{} ({}); the same for every class", summary, map.method->paper)});
  }
  definitions.push_back(
      {say("deletion, insertion"),
       say("the mean probability of the class while the pixels that a map calls important are taken away or put back, "
           "the most important first (Petsiuk et al. 2018): small and large are good")});
  definitions.push_back(
      {say("random weights"),
       say("the rank correlation with the map of the same network with random weights (Adebayo et al. 2018): from {} "
           "on, marked (!), the map shows little of what was learned; - where one of the maps has a single value",
           explain::Scores::most_like_random)});
  page.definitions(definitions);
}

}  // namespace

namespace {

constexpr double outlined_share = 0.6;  // Caron et al. 2021, figure 1

draw::Panel panel_of(const image::Picture& seen, const Tensor& map, draw::ColorMap colors) {
  return {.picture = seen, .heat = heat_of(map), .heat_options = colors_of(map, colors)};
}

// Around the largest values that together have the share.
draw::ContourOptions outline_of_most(const Tensor& map) {
  const Tensor kept = explain::largest_share(map, outlined_share);
  return {.level = map.masked_select(kept).min().item<float>(), .width = 1.5};
}

// What the heads read most, each in its colour (Caron et al. 2021, figure 3). weights [heads, n, n].
draw::Panel all_heads(const image::Picture& seen, const Tensor& weights, const explain::Anatomy& anatomy,
                      const PageWords& say) {
  std::vector<draw::Mask> masks;
  for (const Tensor& head : weights.unbind(0)) {
    const Tensor kept = explain::largest_share(explain::from_class_token(head, anatomy), outlined_share);
    const auto inside = ops::numbers_of<int>(kept);
    masks.push_back({.rows = static_cast<int>(kept.size(0)),
                     .columns = static_cast<int>(kept.size(1)),
                     .inside = {inside.begin(), inside.end()}});
  }
  return {.title = say("all heads"),
          .note = say("what holds {:.0f} % of each, small ones on top", 100 * outlined_share),
          .picture = draw::overlay(seen, masks)};
}

draw::Panel panel_of(const image::Picture& seen, const ExplainedMap& map, const ExplainStyle& style) {
  auto panel = panel_of(seen, map.explanation.map, style.colors);
  panel.title = map.method->name;
  panel.note = note_of(map, style.say);
  if (panel.title == "attention") panel.contours = {outline_of_most(map.explanation.map)};
  return panel;
}

void add_methods(draw::Figure& figure, const explain::ExplainedPicture& explained, const ExplainStyle& style) {
  const auto& shown = explained.classes.front();
  figure.columns = std::clamp<std::size_t>(shown.maps.size() + 1, 3, 4);
  figure.panels.push_back({.title = title_of(shown, style.say), .picture = explained.seen});
  for (const auto& map : shown.maps) {
    auto panel = panel_of(explained.seen, map, style);
    if (shown.maps.size() == 1)
      figure.panels.push_back({.title = panel.title, .heat = panel.heat, .heat_options = panel.heat_options});
    figure.panels.push_back(std::move(panel));
  }
}

void add_classes(draw::Figure& figure, const explain::ExplainedPicture& explained, const ExplainStyle& style) {
  constexpr std::size_t most_columns = 5;
  const auto& classes = explained.classes;
  figure.columns = std::min(classes.size(), most_columns);
  for (std::size_t first = 0; first < classes.size(); first += figure.columns) {
    const auto row = std::span(classes).subspan(first, std::min(figure.columns, classes.size() - first));
    const auto add_row = [&](const std::function<draw::Panel(const ExplainedClass&)>& panel) {
      for (const auto& shown : row) figure.panels.push_back(panel(shown));
      figure.panels.resize((figure.panels.size() + figure.columns - 1) / figure.columns * figure.columns);
    };
    add_row([&](const ExplainedClass& shown) {
      return draw::Panel{.title = title_of(shown, style.say), .picture = explained.seen};
    });
    for (std::size_t i = 0; i < row.front().maps.size(); ++i)
      add_row([&](const ExplainedClass& shown) { return panel_of(explained.seen, shown.maps[i], style); });
  }
}

}  // namespace

std::string title_of(const ExplainedClass& shown, const PageWords& say) {
  if (shown.label.empty()) return "";
  const auto answer = fmt::format("{} {:.1f} %", shown.label, 100 * shown.probability);
  return shown.instead_of.empty() ? answer : say("{} rather than {}", answer, shown.instead_of);
}

draw::Drawing explain_figure(const ExplainedFile& file, const ExplainStyle& style) {
  draw::Figure figure{.title = file.name(), .color_bars = draw::ColorBars::each, .theme = style.theme};
  if (file.explained.classes.size() > 1)
    add_classes(figure, file.explained, style);
  else
    add_methods(figure, file.explained, style);
  return draw::drawing(figure);
}

std::optional<draw::Drawing> heads_figure(const ExplainedFile& file, const ExplainStyle& style) {
  const auto& [seen, anatomy, answers, classes, attentions] = file.explained;
  const auto& say = style.say;
  if (attentions.empty()) return std::nullopt;
  const Tensor& weights = attentions.back();
  const Tensor entropy = explain::attention_entropy(weights), distance = explain::attention_distance(weights, anatomy);
  draw::Figure figure{.title = file.name(),
                      .subtitle = say("The heads of block {}. The line encloses {:.0f} % of what a head reads.",
                                      attentions.size() - 1, 100 * outlined_share),
                      .theme = style.theme};
  figure.columns = 4;
  figure.panel_width = 180;
  figure.panels.push_back(all_heads(seen, weights, anatomy, say));
  for (std::int64_t head = 0; head < weights.size(0); ++head) {
    figure.legend.push_back({say("head {}", head), draw::class_color(static_cast<std::size_t>(head))});
    const Tensor map = explain::from_class_token(weights[head], anatomy);
    auto panel = panel_of(seen, map, style.colors);
    panel.title = say("head {}", head);
    panel.note = say("entropy {:.2f} of {:.2f}, distance {:.1f} patches", entropy[head].item<float>(),
                     std::log(static_cast<double>(weights.size(-1))), distance[head].item<float>());
    panel.contours = {outline_of_most(map)};
    figure.panels.push_back(std::move(panel));
  }
  return draw::drawing(figure);
}

std::string explain_page(const tasks::VisionModel& model, const std::string& model_name,
                         const std::vector<ExplainedFile>& files, const ExplainStyle& style) {
  const auto& seen = files.front().explained.anatomy.image;
  const auto& say = style.say;
  draw::HtmlReport page(say("Why it answered so"),
                        say("{}, {:.1f} million parameters, looks at {} x {} pixels. Warm colours are where each "
                            "method finds the reason.",
                            model_name, 1e-6 * static_cast<double>(model.parameters()), seen[0], seen[1]),
                        {.language = say.language()});
  for (const auto& file : files) add_file(page, file, style);
  add_methods(page, files.front().explained.classes.front().maps, say);
  page.footer(fmt::format("nunchi {}", NUNCHI_VERSION));
  return page.html();
}

}  // namespace nunchi::cli
