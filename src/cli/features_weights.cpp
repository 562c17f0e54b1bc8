// Views of the weights alone: positions, first kernels, histograms.
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cli/features.h"
#include "core/interrupt.h"
#include "draw/histogram.h"
#include "explain/pca.h"
#include "explain/similarity.h"

namespace nunchi::cli {
namespace {

// --- positions

// The rows of the table that are patches, and their grid.
struct Positions {
  Tensor table;  // [rows * columns, dim]
  nn::Grid grid;
};

std::optional<std::string> position_table(models::Model& network) {
  for (const auto& [name, slot] : network.tensors())
    if (name.ends_with("pos_embed") && slot->shape.size() == 3) return name;
  return std::nullopt;
}

// What stands before the patches is as few tokens as leave a grid of the picture's proportion.
nn::Grid grid_of_rows(std::int64_t rows, const Shape& input) {
  const double proportion = static_cast<double>(input[1]) / static_cast<double>(input[2]);
  for (std::int64_t before = 0; before < std::min<std::int64_t>(rows, 16); ++before) {
    const auto patches = rows - before;
    const auto high = std::llround(std::sqrt(static_cast<double>(patches) * proportion));
    if (high > 0 && patches % high == 0 && std::llround(static_cast<double>(high) / proportion) == patches / high)
      return {high, patches / high};
  }
  return {1, rows};
}

Positions positions_of(const tasks::VisionModel& model) {
  const auto name = position_table(model.network());
  if (!name) {
    throw Error(
        ErrorKind::usage,
        "--show positions: expected a table of learned positions (ViT, DeiT, DINO, CLIP), found none: this model's "
        "are relative, rotary, computed or absent; --show filters and weights are there");
  }
  const Tensor table = model.checkpoint().read(*name)[0].to(at::kFloat);
  const auto grid = grid_of_rows(table.size(0), model.network().input_shape());
  return {.table = table.slice(0, table.size(0) - grid[0] * grid[1]), .grid = grid};
}

image::Picture colored(const Tensor& map, float least, float greatest) {
  return draw::heat_picture(heat_of(map), static_cast<int>(map.size(1)), static_cast<int>(map.size(0)),
                            {.patches = true, .least = least, .greatest = greatest});
}

// --- filters

struct Kernels {
  std::string name;
  Tensor values;  // [filters, channels, h, w]
};

Kernels first_kernels(const tasks::VisionModel& model) {
  const auto channels = model.network().input_shape()[0];
  for (const auto& [name, slot] : model.network().tensors())
    if (slot->shape.size() == 4 && slot->shape[1] == channels && slot->shape[2] * slot->shape[3] > 1)
      return {name, model.checkpoint().read(name).to(at::kFloat)};
  throw Error(
      ErrorKind::usage,
      fmt::format("--show filters: expected a convolution over the {} channels of the picture, found none in this "
                  "model; --show weights is there",
                  channels));
}

// Grey is zero, each kernel to its own ends. Of other than three channels their mean.
image::Picture kernel_picture(const Tensor& kernel) {
  const Tensor rgb = kernel.size(0) == 3 ? kernel : kernel.mean(0, /*keepdim=*/true).expand({3, -1, -1});
  return picture_of(0.5 + 0.5 * rgb.permute({1, 2, 0}) / rgb.abs().max().clamp_min(1e-12));
}

std::vector<image::Picture> kernel_pictures(const Tensor& kernels, std::int64_t most) {
  std::vector<image::Picture> tiles;
  for (std::int64_t i = 0; i < std::min(most, kernels.size(0)); ++i) tiles.push_back(kernel_picture(kernels[i]));
  return tiles;
}

int columns_for(std::size_t tiles) {
  return std::max(1, static_cast<int>(std::ceil(std::sqrt(static_cast<double>(tiles) * 1.2))));
}

draw::Panel mosaic_panel(const std::string& title, const std::vector<image::Picture>& tiles) {
  return {.title = title, .picture = mosaic(tiles, columns_for(tiles.size())), .scaling = draw::Scaling::pixels};
}

// Kernels with the most energy first.
Tensor by_energy(const Tensor& kernels) {
  return kernels.index_select(0, kernels.flatten(1).square().sum(1).argsort(/*dim=*/0, /*descending=*/true));
}

// --- weights

struct WeightStatistics {
  std::string name;
  std::int64_t count = 0;
  double mean = 0, deviation = 0;
  explain::Histogram bars;
};

std::vector<WeightStatistics> read_weights(const tasks::VisionModel& model) {
  std::vector<WeightStatistics> all;
  for (const auto& [name, slot] : model.network().tensors()) {
    throw_if_stopped();
    if (!slot->trainable) continue;
    const Tensor values = model.checkpoint().read(name).to(at::kFloat);
    const double mean = values.mean().item<double>();
    const double deviation = values.numel() > 1 ? values.std().item<double>() : 0;
    all.push_back({name, values.numel(), mean, deviation, explain::histogram(values)});
  }
  return all;
}

explain::Histogram histogram_of_all(const tasks::VisionModel& model, const std::vector<WeightStatistics>& tensors) {
  double reach = 0;
  for (const auto& tensor : tensors)
    reach = std::max({reach, std::abs(tensor.bars.least), std::abs(tensor.bars.greatest)});
  explain::Histogram sum{.least = -reach, .greatest = reach, .counts = std::vector<std::int64_t>(101)};
  for (const auto& tensor : tensors) {
    throw_if_stopped();
    const auto part =
        explain::histogram(model.checkpoint().read(tensor.name), {.bins = 101, .least = -reach, .greatest = reach});
    for (std::size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += part.counts[i];
    sum.not_finite += part.not_finite;
  }
  return sum;
}

draw::HistogramChart histogram_chart(const explain::Histogram& bars, const PageWords& say) {
  return {.x = {.title = say("weight")},
          .y = {.title = say("weights in each bar"), .logarithmic = true},
          .series = {{.name = "",
                      .least = bars.least,
                      .greatest = bars.greatest,
                      .counts = {bars.counts.begin(), bars.counts.end()}}}};
}

draw::Panel histogram_panel(const std::string& title, const explain::Histogram& bars, const PageWords& say) {
  auto panel = drawn_panel([chart = histogram_chart(bars, say)](draw::Canvas& canvas, const draw::Rectangle& room) {
    draw::draw_histogram(canvas, chart, room);
  });
  panel.title = title;
  return panel;
}

bool is_matrix(const WeightStatistics& tensor) {
  return tensor.name.ends_with("weight") && tensor.name.find("norm") == std::string::npos;
}

// The matrices and kernels that the picture meets first.
std::vector<draw::Panel> first_layers(const std::vector<WeightStatistics>& tensors, const PageWords& say) {
  constexpr std::size_t most = 4;
  std::vector<draw::Panel> panels;
  for (const auto& tensor : tensors)
    if (is_matrix(tensor) && panels.size() < most) panels.push_back(histogram_panel(tensor.name, tensor.bars, say));
  return panels;
}

draw::LineChart deviation_chart(const std::vector<WeightStatistics>& tensors, const PageWords& say) {
  draw::LineChart chart{.x = {.title = say("tensor, in the order of the network"), .whole_numbers = true},
                        .y = {.title = say("deviation"), .least = 0}};
  draw::Series matrices{.name = say("matrices and kernels"), .x = {}, .y = {}, .joined = false};
  draw::Series vectors{.name = say("biases, norms and other vectors"), .x = {}, .y = {}, .joined = false};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto& series = is_matrix(tensors[i]) ? matrices : vectors;
    series.x.push_back(static_cast<double>(i));
    series.y.push_back(tensors[i].deviation);
  }
  chart.series = {matrices, vectors};
  return chart;
}

Json as_json(const WeightStatistics& tensor) {
  return {{"name", tensor.name},
          {"count", tensor.count},
          {"mean", tensor.mean},
          {"deviation", tensor.deviation},
          {"least", tensor.bars.least},
          {"greatest", tensor.bars.greatest},
          {"not_finite", tensor.bars.not_finite},
          {"counts", tensor.bars.counts}};
}

}  // namespace

Finding show_positions(Gallery& gallery) {
  const auto& say = gallery.say();
  const auto positions = positions_of(gallery.model());
  const auto [rows, columns] = positions.grid;
  const Tensor maps = explain::position_cosines(positions.table, positions.grid);
  const float least = maps.min().item<float>();
  std::vector<image::Picture> tiles;
  for (const Tensor& map : maps.unbind(0)) tiles.push_back(colored(map, least, 1));
  Finding finding{
      .figure = {.title = say("How alike the position embeddings are"),
                 .subtitle = about(gallery, say("a map of {} x {} patches for each of them", rows, columns)),
                 .panels = {{.picture = mosaic(tiles, static_cast<int>(columns)), .scaling = draw::Scaling::pixels}},
                 .columns = 1,
                 .notes = {say("Dark: cosine {:.2f}, bright: 1, the patch itself.", least)},
                 .panel_width = 620}};
  finding.summary = {{"grid", {rows, columns}}, {"least", least}, {"mean", maps.mean().item<double>()}};
  finding.tensors = {{"cosine", maps.contiguous()}};
  finding.words = {say("{} x {} positions; cosines from {:.3f} to 1", rows, columns, least)};
  return finding;
}

Finding show_filters(Gallery& gallery) {
  const auto& say = gallery.say();
  constexpr std::int64_t most_filters = 256, most_components = 28;
  const auto [name, kernels] = first_kernels(gallery.model());
  Finding finding{.figure = {.title = say("Kernels of the first layer"),
                             .subtitle = about(gallery, say("{}: {} kernels of {} x {}", name, kernels.size(0),
                                                            kernels.size(2), kernels.size(3))),
                             .columns = 2,
                             .notes = {say("Grey is zero; each kernel to its own ends.")},
                             .panel_width = 420}};
  const auto shown = kernel_pictures(by_energy(kernels), most_filters);
  finding.figure.panels.push_back(mosaic_panel(say("{} kernels, the strongest first", shown.size()), shown));
  finding.summary = {{"layer", name}, {"filters", kernels.size(0)}, {"size", {kernels.size(2), kernels.size(3)}}};
  finding.tensors = {{"filters", kernels.contiguous()}};
  if (kernels.size(0) >= 2) {
    const Tensor rows = kernels.flatten(1);
    const auto pca = explain::fit_pca(rows, std::min({most_components, rows.size(1), rows.size(0)}));
    const Tensor components =
        pca.components.to(at::kFloat).reshape({-1, kernels.size(1), kernels.size(2), kernels.size(3)});
    finding.figure.panels.push_back(mosaic_panel(say("their first {} principal components ({:.0f} % of the variance)",
                                                     components.size(0), 100 * pca.shares.sum().item<double>()),
                                                 kernel_pictures(components, most_components)));
    finding.details = {{"variance_shares", ops::numbers_of<double>(pca.shares)}};
    finding.tensors.push_back({"components", components.contiguous()});
  }
  finding.words = {finding.figure.subtitle};
  return finding;
}

Finding show_weights(Gallery& gallery) {
  const auto& say = gallery.say();
  const auto tensors = read_weights(gallery.model());
  const auto all = histogram_of_all(gallery.model(), tensors);
  const auto count = std::accumulate(all.counts.begin(), all.counts.end(), std::int64_t{0});
  Finding finding{
      .figure = {.title = say("All weights"),
                 .subtitle = about(gallery, say("{} weights in {} tensors", with_thousands(count), tensors.size())),
                 .panels = {histogram_panel(say("all"), all, say), chart_panel(deviation_chart(tensors, say))},
                 .columns = 2,
                 .panel_width = 440,
                 .panel_height = 320}};
  auto first = first_layers(tensors, say);
  std::ranges::move(first, std::back_inserter(finding.figure.panels));
  Json list = Json::array();
  for (const auto& tensor : tensors) list.push_back(as_json(tensor));
  finding.summary = {{"weights", count},
                     {"tensors", tensors.size()},
                     {"least", all.least},
                     {"greatest", all.greatest},
                     {"not_finite", all.not_finite}};
  finding.details = {{"counts", all.counts}, {"by_tensor", list}};
  finding.words = {
      say("{} weights in {} tensors, all within {:.4g}", with_thousands(count), tensors.size(), all.greatest)};
  return finding;
}

}  // namespace nunchi::cli
