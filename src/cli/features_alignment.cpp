// How alike what the layers of one network, or of two, give is.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "cli/features.h"
#include "core/interrupt.h"
#include "explain/similarity.h"
#include "nn/watch.h"

namespace nunchi::cli {
namespace {

explain::Anatomy anatomy_for(const tasks::VisionModel& model, const Tensor& pixels) {
  return explain::anatomy_of(model, pixels.sizes().slice(1).vec());
}

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

LayerExamples examples_of(const tasks::VisionModel& model, const std::vector<Tensor>& pictures, nn::Grid cells) {
  const auto anatomy = anatomy_for(model, pictures.front());
  LayerExamples all{.names = blocks_of(anatomy), .examples = {}};
  std::map<std::string, std::vector<Tensor>> parts;
  for (const Tensor& pixels : pictures) {
    throw_if_stopped();
    const nn::Watch watch(model.network(), [&](const std::string& name, const Tensor& y) {
      if (std::ranges::count(all.names, name) > 0)
        parts[name].push_back(explain::cell_examples(explain::as_map(y, anatomy), cells));
      return y;
    });
    model.forward(pixels);
  }
  for (const auto& name : all.names) all.examples.push_back(at::cat(parts.at(name)));
  return all;
}

// Cells with the numbers of the layers beside and below.
void draw_alignment(draw::Canvas& canvas, const Tensor& cka, const draw::Rectangle& room) {
  constexpr double beside = 34, below = 22;
  const auto rows = cka.size(0), columns = cka.size(1);
  const double cell =
      std::min((room.width - beside) / static_cast<double>(columns), (room.height - below) / static_cast<double>(rows));
  const auto map = heat_of(cka);
  const auto every = [](std::int64_t count) { return std::max<std::int64_t>(1, (count + 11) / 12); };
  const draw::TextStyle small{.size = 10, .color = canvas.theme().quiet_ink, .align = draw::Align::right};
  for (std::int64_t row = 0; row < rows; ++row) {
    const double top = room.y + static_cast<double>(row) * cell;
    if (row % every(rows) == 0) canvas.text(std::to_string(row), {room.x + beside - 6, top + cell / 2 - 7}, small);
    for (std::int64_t column = 0; column < columns; ++column) {
      const float value = map.values[static_cast<std::size_t>(row * columns + column)];
      canvas.fill({room.x + beside + static_cast<double>(column) * cell, top, cell + 0.3, cell + 0.3},
                  draw::color_of(draw::ColorMap::viridis, value));
    }
  }
  for (std::int64_t column = 0; column < columns; column += every(columns))
    canvas.text(
        std::to_string(column),
        {room.x + beside + (static_cast<double>(column) + 0.5) * cell, room.y + static_cast<double>(rows) * cell + 4},
        {.size = 10, .color = canvas.theme().quiet_ink, .align = draw::Align::center});
}

std::vector<Tensor> pixels_of(Gallery& gallery) {
  std::vector<Tensor> all;
  for (const auto& item : gallery.items()) all.push_back(item.pixels);
  return all;
}

// The layers of two models, or those of one twice, over the same cells of the same pictures.
struct Alignment {
  std::vector<std::string> rows, columns;
  nn::Grid cells;
  Tensor cka;
};

Alignment alignment_with_itself(Gallery& gallery) {
  const auto pictures = pixels_of(gallery);
  const auto cells = cells_for(anatomy_for(gallery.model(), pictures.front()));
  const auto layers = examples_of(gallery.model(), pictures, cells);
  return {layers.names, layers.names, cells, explain::linear_cka(layers.examples, layers.examples)};
}

Alignment alignment_with_other(Gallery& gallery) {
  Options options = gallery.options();
  options.model = options.other_model;
  const auto model = open_model(options);
  std::vector<std::filesystem::path> paths;
  for (const auto& item : gallery.items()) paths.emplace_back(item.file);
  Gallery other(options, model, {.paths = paths});
  const auto first = pixels_of(gallery), second = pixels_of(other);
  const auto a = cells_for(anatomy_for(gallery.model(), first.front())),
             b = cells_for(anatomy_for(model, second.front()));
  const nn::Grid cells = {std::min(a[0], b[0]), std::min(a[1], b[1])};
  const auto rows = examples_of(gallery.model(), first, cells), columns = examples_of(model, second, cells);
  return {rows.names, columns.names, cells, explain::linear_cka(rows.examples, columns.examples)};
}

}  // namespace

Finding show_cka(Gallery& gallery) {
  const bool other = !gallery.options().other_model.empty();
  const auto found = other ? alignment_with_other(gallery) : alignment_with_itself(gallery);
  const auto pictures = gallery.items().size();
  const auto examples = pictures * static_cast<std::size_t>(found.cells[0] * found.cells[1]);
  Finding finding{
      .figure = {.title = "How alike the layers are (linear CKA)",
                 .subtitle = about(gallery, fmt::format("{} examples: {} x {} cells of {} pictures", examples,
                                                        found.cells[0], found.cells[1], pictures)),
                 .columns = 1,
                 .panel_width = 460,
                 .panel_height = 460.0 * static_cast<double>(found.rows.size()) /
                                     static_cast<double>(std::max(found.rows.size(), found.columns.size())) +
                                 20}};
  finding.figure.panels.push_back(drawn_panel(
      [cka = found.cka](draw::Canvas& canvas, const draw::Rectangle& room) { draw_alignment(canvas, cka, room); }));
  const auto name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  const auto& options = gallery.options();
  finding.figure.notes = {fmt::format(
      "From top to bottom the layers of {} ({} to {}), from left to right those of {} ({} to {}). Dark: 0, bright: 1.",
      name(options.model), found.rows.front(), found.rows.back(), name(other ? options.other_model : options.model),
      found.columns.front(), found.columns.back())};
  finding.summary = {{"rows", found.rows},
                     {"columns", found.columns},
                     {"examples", examples},
                     {"mean", found.cka.mean().item<double>()}};
  Json values = Json::array();
  for (const auto& row : found.cka.unbind(0)) values.push_back(doubles_of(row));
  finding.details = {{"cka", values}};
  finding.tensors = {{"cka", found.cka.to(at::kFloat)}};
  finding.words = {fmt::format("first with last layer: {:.3f}; mean {:.3f}", found.cka[0][-1].item<double>(),
                               found.cka.mean().item<double>())};
  return finding;
}

}  // namespace nunchi::cli
