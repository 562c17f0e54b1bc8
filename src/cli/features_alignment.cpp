// How alike what the layers of one network, or of two, give is.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "cli/features.h"
#include "core/interrupt.h"
#include "draw/heat_map_chart.h"
#include "explain/similarity.h"
#include "nn/watch.h"

namespace nunchi::cli {
namespace {

// "blocks.3", "layer1.0": numbered layers that have parts of their own; where there are none, all with a map.
std::vector<std::string> blocks_of(const explain::Anatomy& anatomy) {
  const auto maps = explain::map_layers(anatomy);
  std::vector<std::string> blocks;
  for (const auto& name : maps) {
    const auto last = name.substr(name.rfind('.') + 1);
    const bool numbered =
        !last.empty() && std::ranges::all_of(last, [](unsigned char c) { return std::isdigit(c) != 0; });
    const bool has_parts =
        std::ranges::any_of(anatomy.layers, [&](const auto& other) { return other.name.starts_with(name + "."); });
    if (numbered && has_parts) blocks.push_back(name);
  }
  return blocks.size() >= 2 ? blocks : maps;
}

const explain::Anatomy& first_anatomy(Gallery& gallery) { return gallery.anatomy(gallery.items().front().pixels); }

struct LayerExamples {
  std::vector<std::string> names;
  std::vector<Tensor> examples;  // [pictures * cells, channels] each
};

// Cells as coarse as the coarsest layer, four a side at least: a layer of fewer places repeats itself.
nn::Grid cells_for(const explain::Anatomy& anatomy) {
  const auto names = blocks_of(anatomy);
  nn::Grid cells = {8, 8};
  for (const auto& layer : anatomy.layers) {
    if (std::ranges::count(names, layer.name) == 0) continue;
    const Tensor map = explain::as_map(at::empty(layer.shape, at::TensorOptions().device(at::kMeta)), anatomy);
    for (std::size_t i = 0; i < 2; ++i)
      cells[i] = std::min(cells[i], std::max<std::int64_t>(4, map.size(2 + static_cast<std::int64_t>(i))));
  }
  return cells;
}

LayerExamples examples_of(Gallery& gallery, nn::Grid cells) {
  LayerExamples all{.names = blocks_of(first_anatomy(gallery)), .examples = {}};
  std::map<std::string, std::vector<Tensor>> parts;
  for (const auto& item : gallery.items()) {
    throw_if_stopped();
    const auto& anatomy = gallery.anatomy(item.pixels);
    const nn::Watch watch(gallery.model().network(), [&](const std::string& name, const Tensor& y) {
      if (std::ranges::count(all.names, name) > 0)
        parts[name].push_back(explain::cell_examples(explain::as_map(y, anatomy), cells).cpu());
      return y;
    });
    gallery.model().forward(item.pixels);
  }
  for (const auto& name : all.names) all.examples.push_back(at::cat(parts.at(name)));
  return all;
}

// The number of every layer, or of every second, third ... where they are many.
std::vector<std::string> few_numbers(std::size_t count) {
  const std::size_t every = std::max<std::size_t>(1, (count + 11) / 12);
  std::vector<std::string> names(count);
  for (std::size_t i = 0; i < count; i += every) names[i] = std::to_string(i);
  return names;
}

draw::HeatMapChart alignment_chart(const Tensor& cka) {
  return {.rows = few_numbers(static_cast<std::size_t>(cka.size(0))),
          .columns = few_numbers(static_cast<std::size_t>(cka.size(1))),
          .values = ops::numbers_of<double>(cka),
          .least = 0,
          .greatest = 1,
          .figures = false};
}

// The layers of two models, or those of one twice, over the same cells of the same pictures.
struct Alignment {
  std::vector<std::string> rows, columns;
  nn::Grid cells;
  Tensor cka;
};

Alignment alignment_with_itself(Gallery& gallery) {
  const auto cells = cells_for(first_anatomy(gallery));
  const auto layers = examples_of(gallery, cells);
  return {layers.names, layers.names, cells, explain::linear_cka(layers.examples, layers.examples)};
}

Alignment alignment_with_other(Gallery& gallery) {
  Options options = gallery.options();
  options.model = options.other_model;
  const auto model = open_model(options);
  std::vector<std::filesystem::path> paths;
  for (const auto& item : gallery.items()) paths.emplace_back(item.file);
  Gallery other(options, model, {.paths = paths});
  const auto a = cells_for(first_anatomy(gallery)), b = cells_for(first_anatomy(other));
  const nn::Grid cells = {std::min(a[0], b[0]), std::min(a[1], b[1])};
  const auto rows = examples_of(gallery, cells), columns = examples_of(other, cells);
  return {rows.names, columns.names, cells, explain::linear_cka(rows.examples, columns.examples)};
}

}  // namespace

Finding show_cka(Gallery& gallery) {
  const auto& say = gallery.say();
  const bool other = !gallery.options().other_model.empty();
  const auto found = other ? alignment_with_other(gallery) : alignment_with_itself(gallery);
  const auto pictures = gallery.items().size();
  const auto examples = pictures * static_cast<std::size_t>(found.cells[0] * found.cells[1]);
  Finding finding{
      .figure = {.title = say("How alike the layers are (linear CKA)"),
                 .subtitle = about(gallery, say("{} examples: {} x {} cells of {} pictures", examples, found.cells[0],
                                                found.cells[1], pictures)),
                 .columns = 1,
                 .panel_width = 460,
                 .panel_height = 460.0 * static_cast<double>(found.rows.size()) /
                                     static_cast<double>(std::max(found.rows.size(), found.columns.size())) +
                                 20}};
  finding.figure.panels.push_back(
      drawn_panel([chart = alignment_chart(found.cka)](draw::Canvas& canvas, const draw::Rectangle& room) {
        draw::draw_heat_map_chart(canvas, chart, room);
      }));
  const auto& options = gallery.options();
  finding.figure.notes = {
      say("From top to bottom the layers of {} ({} to {}), from left to right those of {} ({} to {}).",
          short_name(options.model), found.rows.front(), found.rows.back(),
          short_name(other ? options.other_model : options.model), found.columns.front(), found.columns.back())};
  finding.summary = {{"rows", found.rows},
                     {"columns", found.columns},
                     {"examples", examples},
                     {"mean", found.cka.mean().item<double>()}};
  Json values = Json::array();
  for (const auto& row : found.cka.unbind(0)) values.push_back(ops::numbers_of<double>(row));
  finding.details = {{"cka", values}};
  finding.tensors = {{"cka", found.cka.to(at::kFloat)}};
  finding.words = {say("first with last layer: {:.3f}; mean {:.3f}", found.cka[0][-1].item<double>(),
                       found.cka.mean().item<double>())};
  return finding;
}

}  // namespace nunchi::cli
