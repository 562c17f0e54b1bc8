// Views of what the layers give: channels, and statistics of all.
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/features.h"
#include "core/interrupt.h"
#include "draw/line_chart.h"
#include "explain/similarity.h"
#include "nn/watch.h"

namespace nunchi::cli {
namespace {

using draw::Panel;

// --- maps

struct Channels {
  std::vector<std::int64_t> indices;  // those that vary most over the picture
  std::vector<Tensor> maps;           // [rows, columns] each
};

Channels liveliest(const explain::PatchTokens& patches, std::int64_t count) {
  const Tensor values = patches.values[0];  // [n, dim]
  const Tensor varying = (values - values.mean(0)).square().sum(0);
  const Tensor order = varying.argsort(/*dim=*/0, /*descending=*/true);
  Channels channels;
  for (std::int64_t i = 0; i < std::min(count, order.size(0)); ++i) {
    channels.indices.push_back(order[i].item<std::int64_t>());
    channels.maps.push_back(values.select(1, channels.indices.back()).reshape({patches.grid[0], patches.grid[1]}));
  }
  return channels;
}

// The picture, then a panel for each channel; the next picture begins a row of its own.
void add_channels(draw::Figure& figure, const Gallery::Item& item, const Channels& channels, const std::string& note,
                  const PageWords& say) {
  figure.panels.push_back({.note = note, .picture = item.seen});
  for (std::size_t c = 0; c < channels.maps.size(); ++c)
    figure.panels.push_back({.note = say("channel {}", channels.indices[c]),
                             .heat = heat_of(channels.maps[c]),
                             .heat_options = {.patches = true}});
  while (figure.panels.size() % figure.columns != 0) figure.panels.emplace_back();
}

// --- activations

Json statistics_as_json(const std::string& name, const explain::ActivationStatistics& seen) {
  return {{"layer", name},
          {"mean", seen.mean()},
          {"deviation", seen.deviation()},
          {"least", seen.least()},
          {"greatest", seen.greatest()},
          {"units", seen.units()},
          {"dead_share", seen.dead_share()},
          {"outlier_channels", seen.outlier_channels()}};
}

struct LayerStatistics {
  std::vector<std::string> names;  // in the order in which they are done
  std::map<std::string, explain::ActivationStatistics> of;
  std::int64_t pictures = 0;
};

void look_at(LayerStatistics& all, const std::string& name, const Tensor& y, const explain::Anatomy& anatomy) {
  if (!all.of.contains(name)) all.names.push_back(name);
  const bool map = explain::is_map(y.sizes(), anatomy);
  all.of[name].add(map ? explain::as_map(y, anatomy) : y, map ? 1 : y.dim() - 1);
}

LayerStatistics statistics_of(Gallery& gallery) {
  LayerStatistics all;
  for (const auto& item : gallery.items()) {
    throw_if_stopped();
    const auto& anatomy = gallery.anatomy(item.pixels);
    const nn::Watch watch(gallery.model().network(), [&](const std::string& name, const Tensor& y) {
      look_at(all, name, y.cpu(), anatomy);
      return y;
    });
    gallery.model().forward(item.pixels);
    ++all.pictures;
  }
  return all;
}

draw::Series series_of(const std::string& name, const LayerStatistics& all,
                       const std::function<double(const explain::ActivationStatistics&)>& value) {
  draw::Series series{.name = name, .x = {}, .y = {}};
  for (const auto& layer : all.names) {
    series.x.push_back(static_cast<double>(series.x.size()));
    series.y.push_back(value(all.of.at(layer)));
  }
  return series;
}

Panel layer_chart(const std::string& title, bool share, std::vector<draw::Series> series, const PageWords& say) {
  draw::LineChart chart{.title = title,
                        .x = {.title = say("layer, in the order of the work"), .whole_numbers = true},
                        .series = std::move(series)};
  if (share) chart.y = {.least = 0, .greatest = 0.01, .format = draw::NumberFormat::percent};
  return chart_panel(std::move(chart));
}

}  // namespace

Finding show_maps(Gallery& gallery) {
  constexpr std::int64_t most_channels = 16;
  const auto& say = gallery.say();
  const auto& items = gallery.items();
  const auto& layers = gallery.options().layers_shown;
  const bool several = layers.size() > 1;
  Finding finding{
      .figure = {.title = say("Channels that vary most over the picture"), .columns = 6, .panel_width = 120}};
  Json chosen = Json::array();
  std::string sizes;
  for (const auto& layer : layers.empty() ? std::vector<std::string>{""} : layers) {
    const auto& patches = gallery.patches_of(layer);
    sizes = say("{} x {} places, {} channels", patches.front().grid[0], patches.front().grid[1],
                patches.front().values.size(2));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto channels = liveliest(patches[i], gallery.k_or(most_channels));
      chosen.push_back({{"file", items[i].file}, {"layer", layer}, {"channels", channels.indices}});
      finding.tensors.push_back({fmt::format("maps_{}", finding.tensors.size()), at::stack(channels.maps)});
      if (finding.tensors.size() > most_shown) continue;
      const auto name = short_name(items[i].file);
      add_channels(finding.figure, items[i], channels, several ? fmt::format("{}; {}; {}", name, layer, sizes) : name,
                   say);
    }
  }
  finding.figure.subtitle = about(gallery, several ? say("{} layers", layers.size()) : sizes);
  finding.figure.notes = note_of_shown(finding.tensors.size(), say);
  finding.summary = {{"maps", chosen}};
  return finding;
}

Finding show_activations(Gallery& gallery) {
  const auto& say = gallery.say();
  const auto all = statistics_of(gallery);
  using Statistics = explain::ActivationStatistics;
  Finding finding{
      .figure = {.title = say("What the layers give"),
                 .subtitle = about(gallery, say("{} layers, over {} pictures", all.names.size(), all.pictures)),
                 .columns = 2,
                 .panel_width = 420,
                 .panel_height = 260}};
  const auto series = [&](const std::string& name, auto value) { return series_of(name, all, value); };
  finding.figure.panels = {
      layer_chart(say("mean and deviation"), false,
                  {series(say("mean"), [](const Statistics& s) { return s.mean(); }),
                   series(say("deviation"), [](const Statistics& s) { return s.deviation(); })},
                  say),
      layer_chart(say("extremes"), false,
                  {series(say("greatest"), [](const Statistics& s) { return s.greatest(); }),
                   series(say("least"), [](const Statistics& s) { return s.least(); })},
                  say),
      layer_chart(say("dead units"), true, {series("", [](const Statistics& s) { return s.dead_share(); })}, say),
      layer_chart(say("outlier channels"), true,
                  {series("",
                          [](const Statistics& s) {
                            return static_cast<double>(s.outlier_channels().size()) / static_cast<double>(s.units());
                          })},
                  say)};
  Json layers = Json::array();
  std::string most_dead;
  double dead = 0;
  for (const auto& name : all.names) {
    layers.push_back(statistics_as_json(name, all.of.at(name)));
    if (all.of.at(name).dead_share() > dead) {
      dead = all.of.at(name).dead_share();
      most_dead = name;
    }
  }
  finding.figure.notes = {
      say("Dead: units with one and the same value at all places of all pictures. Outlier: channels whose root mean "
          "square is over six times the median channel's.")};
  finding.summary = {
      {"layers", all.names.size()}, {"picture_count", all.pictures}, {"most_dead", most_dead}, {"dead_share", dead}};
  finding.details = {{"statistics", layers}};
  finding.words = {dead > 0 ? say("most dead units: {} ({:.1f} %)", most_dead, 100 * dead) : say("no dead units")};
  return finding;
}

}  // namespace nunchi::cli
