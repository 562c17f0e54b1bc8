#include "explain/anatomy.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/nearest.h"
#include "nn/watch.h"
#include "tasks/attention_map.h"

namespace nunchi::explain {
namespace {

std::int64_t area(nn::Grid grid) { return grid[0] * grid[1]; }

// The image at a stride, with or without the rest that does not fill a step.
nn::Grid strided(nn::Grid image, std::int64_t stride, bool with_rest) {
  const auto rest = with_rest ? stride - 1 : 0;
  return {(image[0] + rest) / stride, (image[1] + rest) / stride};
}

// The grid of so many tokens that lie over the image in rows; nothing where no stride has as many.
std::optional<nn::Grid> grid_of_tokens(std::int64_t tokens, nn::Grid image) {
  for (std::int64_t stride = 1; stride <= std::max(image[0], image[1]); ++stride) {
    for (const bool with_rest : {true, false}) {
      const auto grid = strided(image, stride, with_rest);
      if (area(grid) == tokens) return grid;
    }
  }
  return std::nullopt;
}

bool lies_over(nn::Grid map, nn::Grid image) {
  const auto of = grid_of_tokens(area(map), image);
  return of == map;
}

enum class Layout { none, tokens, channels_first, channels_last };

Layout layout_of(at::IntArrayRef shape, const Anatomy& anatomy) {
  if (shape.size() == 4 && shape[0] == 1) {
    if (lies_over({shape[2], shape[3]}, anatomy.image)) return Layout::channels_first;
    if (lies_over({shape[1], shape[2]}, anatomy.image)) return Layout::channels_last;
  }
  if (shape.size() != 3 || shape[0] != 1) return Layout::none;
  const bool patches = shape[1] == anatomy.prefix_tokens + area(anatomy.grid);
  return patches || grid_of_tokens(shape[1], anatomy.image) ? Layout::tokens : Layout::none;
}

Shape of_one(at::IntArrayRef shape) {
  Shape one(shape.begin(), shape.end());
  if (!one.empty()) one[0] = 1;
  return one;
}

std::vector<std::string> names_of(const Anatomy& anatomy) {
  std::vector<std::string> names;
  for (const auto& layer : anatomy.layers) names.push_back(layer.name);
  return names;
}

}  // namespace

void add_seen(std::vector<Layer>& layers, const std::string& name, const Tensor& values) {
  std::erase_if(layers, [&](const Layer& layer) { return layer.name == name; });
  layers.push_back({name, Shape(values.sizes().begin(), values.sizes().end())});
}

Anatomy anatomy_of(const tasks::VisionModel& model, const Shape& input) {
  const auto network = model.network_of_shapes();
  Anatomy anatomy{.layers = {}, .image = {input[1], input[2]}, .map_layer = network->map_layer()};
  const nn::Watch watch(*network, [&](const std::string& name, const Tensor& values) {
    add_seen(anatomy.layers, name, values);
    return values;
  });
  const auto output = models::forward_of_shapes(*network, input, {.attentions = true});
  anatomy.prefix_tokens = output.prefix_tokens;
  anatomy.registers = output.registers;
  anatomy.grid = output.grid;
  anatomy.has_attention = tasks::has_attention_map(output);
  return anatomy;
}

const Anatomy& Anatomies::of(const Tensor& pixels) {
  const auto size = pixels.sizes().slice(1).vec();
  const auto known = by_size_.find(size);
  return known != by_size_.end() ? known->second : by_size_.emplace(size, anatomy_of(model_, size)).first->second;
}

std::string layer_named(const Anatomy& anatomy, const std::string& name) {
  const auto names = names_of(anatomy);
  if (std::ranges::count(names, name) > 0) return name;
  const auto last = std::find_if(names.rbegin(), names.rend(),
                                 [&](const std::string& other) { return other.starts_with(name + "."); });
  if (last != names.rend() && !name.empty()) return *last;
  throw Error(ErrorKind::usage,
              fmt::format("--layer {}: this model has no such layer; the nearest is {}. Its maps are made of {} where "
                          "nothing is said; `nunchi graph MODEL --layers` lists all {}",
                          name, nearest_name(name, names), anatomy.map_layer, names.size()));
}

std::vector<std::string> map_layers(const Anatomy& anatomy) {
  std::vector<std::string> names;
  for (const auto& layer : anatomy.layers) {
    if (is_map(layer.shape, anatomy)) names.push_back(layer.name);
  }
  return names;
}

bool is_map(at::IntArrayRef shape, const Anatomy& anatomy) { return layout_of(of_one(shape), anatomy) != Layout::none; }

Tensor as_map(const Tensor& values, const Anatomy& anatomy) {
  switch (layout_of(of_one(values.sizes()), anatomy)) {
    case Layout::channels_first:
      return values;
    case Layout::channels_last:
      return values.permute({0, 3, 1, 2});
    case Layout::tokens: {
      const bool patches = values.size(1) == anatomy.prefix_tokens + area(anatomy.grid);
      const auto [rows, columns] = patches ? anatomy.grid : *grid_of_tokens(values.size(1), anatomy.image);
      const Tensor tokens = patches ? values.slice(1, anatomy.prefix_tokens) : values;
      return tokens.transpose(1, 2).reshape({values.size(0), values.size(2), rows, columns});
    }
    case Layout::none:
      break;
  }
  ASSERT(false, "only maps have places in the picture");
}

}  // namespace nunchi::explain
