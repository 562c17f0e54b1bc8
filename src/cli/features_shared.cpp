#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "cli/features.h"
#include "core/interrupt.h"
#include "image/seen_part.h"
#include "nn/watch.h"
#include "tasks/seen_picture.h"

namespace nunchi::cli {
namespace {

constexpr std::size_t most_kept = 256;  // pictures with all their tokens

}  // namespace

Gallery::Gallery(const Options& options, const tasks::VisionModel& model, const Pictures& pictures)
    : options_(options),
      model_(model),
      say_(options.language),
      pictures_(pictures),
      anatomies_(model),
      failed_(pictures.failed) {}

Gallery::Item Gallery::open(const std::filesystem::path& path) const {
  const auto& transform = model_.transform();
  const auto picture = image::read_picture(path, image::decoding_for(transform, decode_options(options_)));
  const auto part = image::seen_part(transform, {picture.height, picture.width});
  const auto width = static_cast<float>(picture.width), height = static_cast<float>(picture.height);
  return {.file = path.string(),
          .seen = tasks::seen_picture(picture, transform),
          .part = {part.left / width, part.top / height, part.right / width, part.bottom / height},
          .pixels = tasks::as_batch(image::apply(transform, picture))};
}

const std::vector<Gallery::Item>& Gallery::items() {
  if (!items_.empty()) return items_;
  if (pictures_.paths.size() > most_kept) {
    throw Error(ErrorKind::usage,
                fmt::format("expected at most {} pictures to look into, found {}; --show embedding takes any number",
                            most_kept, pictures_.paths.size()));
  }
  for (const auto& path : pictures_.paths) {
    throw_if_stopped();
    try {
      items_.push_back(open(path));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      remark(error.what());
      ++failed_;
    }
  }
  if (items_.empty()) throw Error(ErrorKind::input, "no picture could be read: there is nothing to show");
  return items_;
}

explain::PatchTokens Gallery::patches_of(const Item& item, const std::string& name) {
  if (name.empty()) return explain::patch_tokens(model_.forward(item.pixels));
  const auto& anatomy = anatomies_.of(item.pixels);
  const auto layer = explain::layer_named(anatomy, name);
  Tensor values;
  const nn::Watch watch(model_.network(), [&](const std::string& done, const Tensor& y) {
    if (done == layer) values = y.cpu();
    return y;
  });
  model_.forward(item.pixels);
  return explain::patch_tokens_of_layer(layer, values, anatomy);
}

const std::vector<explain::PatchTokens>& Gallery::patches() {
  const auto& layers = options_.layers_shown;
  return patches_of(layers.empty() ? "" : layers.front());
}

const std::vector<explain::PatchTokens>& Gallery::patches_of(const std::string& layer) {
  if (const auto known = patches_.find(layer); known != patches_.end()) return known->second;
  std::vector<explain::PatchTokens> all;
  for (const auto& item : items()) {
    throw_if_stopped();
    auto patches = patches_of(item, layer);
    if (patches.count() < 2) {
      throw Error(ErrorKind::usage, fmt::format("{}: expected two patches or more, found a grid of {} x {}: choose an "
                                                "earlier layer with --layer, or `nunchi embed`",
                                                item.file, patches.grid[0], patches.grid[1]));
    }
    all.push_back(std::move(patches));
  }
  return patches_[layer] = std::move(all);
}

std::string grid_in_words(const explain::PatchTokens& patches, const PageWords& say) {
  return say("{} x {} patches", patches.grid[0], patches.grid[1]);
}

Json files_of(const std::vector<Gallery::Item>& items) {
  Json files = Json::array();
  for (const auto& item : items) files.push_back(item.file);
  return files;
}

std::vector<std::string> note_of_shown(std::size_t count, const PageWords& say) {
  if (count <= most_shown) return {};
  return {say("The first {} of {}; the numbers are of all.", most_shown, count)};
}

std::string about(const Gallery& gallery, const std::string& more) {
  const auto& options = gallery.options();
  const auto& layers = options.layers_shown;
  const auto layer = layers.empty() ? "" : gallery.say()(", layer {}", fmt::format("{}", fmt::join(layers, ", ")));
  return fmt::format("{}{}{}{}", short_name(options.model), layer, more.empty() ? "" : "; ", more);
}

bool is_page(const Options& options) { return options.out.ends_with(".html"); }

image::Picture picture_of(const Tensor& rgb) {
  const Tensor bytes = (rgb.to(at::kDouble).clamp(0, 1) * 255).round().to(at::kByte).contiguous();
  auto picture = image::make_picture(static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)));
  std::copy_n(bytes.const_data_ptr<std::uint8_t>(), bytes.numel(), picture.pixels.begin());
  return picture;
}

image::Picture mosaic(const std::vector<image::Picture>& tiles, int columns) {
  const int count = static_cast<int>(tiles.size()), rows = (count + columns - 1) / columns;
  const int width = tiles.front().width, height = tiles.front().height;
  auto sheet = image::make_picture(columns * (width + 1) - 1, rows * (height + 1) - 1);
  std::ranges::fill(sheet.pixels, std::uint8_t{255});
  for (int i = 0; i < count; ++i) {
    const auto& tile = tiles[static_cast<std::size_t>(i)];
    ASSERT(tile.width == width && tile.height == height && tile.channels == 3, "tiles have one size");
    const int left = i % columns * (width + 1), top = i / columns * (height + 1);
    for (int y = 0; y < height; ++y) std::copy_n(tile.row(y), tile.row_bytes(), sheet.row(top + y) + 3 * left);
  }
  return sheet;
}

draw::Panel chart_panel(draw::LineChart chart) {
  return drawn_panel([chart = std::move(chart)](draw::Canvas& canvas, const draw::Rectangle& place) {
    draw::draw_line_chart(canvas, chart, place);
  });
}

draw::Panel drawn_panel(std::function<void(draw::Canvas&, const draw::Rectangle&)> chart, const std::string& note) {
  draw::Panel panel;
  panel.note = note;
  panel.chart = std::move(chart);
  return panel;
}

}  // namespace nunchi::cli
