#include "data/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "data/augment_draw.h"

namespace nunchi::data {
namespace {

using image::Picture;
using image::Window;

constexpr int most_side = 8192;  // of a result

void expect(bool condition, std::string_view option, std::string_view range) {
  if (!condition) throw Error(ErrorKind::usage, fmt::format("augmentation: expected {} {}", option, range));
}

bool is_probability(double value) { return value >= 0 && value <= 1; }

bool is_range(std::array<double, 2> range, double least, double most) {
  return range[0] >= least && range[0] <= range[1] && range[1] <= most;
}

void check_shapes(std::string_view name, std::array<double, 2> scale, std::array<double, 2> ratio) {
  expect(is_range(scale, 0, 1), fmt::format("{} scale", name), "as two ascending numbers from 0 to 1");
  expect(is_range(ratio, 1e-3, 1e3), fmt::format("{} ratio", name), "as two ascending numbers from 0.001 to 1000");
}

void check_color(const ColorJitter& jitter) {
  const auto reaches = [](double value) { return value >= 0 && std::isfinite(value); };
  expect(reaches(jitter.brightness) && reaches(jitter.contrast) && reaches(jitter.saturation), "color_jitter",
         "brightness, contrast and saturation of at least 0");
  expect(jitter.hue >= 0 && jitter.hue <= 0.5, "color_jitter hue", "from 0 to 0.5");
  expect(is_probability(jitter.probability), "color_jitter probability", "from 0 to 1");
}

void check_rand_augment(const RandAugment& rand_augment) {
  expect(rand_augment.operations >= 0, "rand_augment operations", "of at least 0");
  expect(rand_augment.bins >= 1 && rand_augment.magnitude >= 0 && rand_augment.magnitude < rand_augment.bins,
         "rand_augment magnitude", "from 0 to bins - 1 (30)");
  expect(rand_augment.filter == image::Filter::nearest || rand_augment.filter == image::Filter::bilinear ||
             rand_augment.filter == image::Filter::bicubic,
         "rand_augment interpolation", "nearest, bilinear or bicubic");
}

void check(const AugmentOptions& options) {
  const auto is_side = [](int side) { return side >= 1 && side <= most_side; };
  expect(is_side(options.size[0]) && is_side(options.size[1]), "size", "with sides from 1 to 8192");
  expect(options.channels == 1 || options.channels == 3, "channels", "to be 1 or 3");
  expect(is_side(options.shortest_edge.value_or(1)), "shortest_edge", "from 1 to 8192");
  expect(is_probability(options.flip) && is_probability(options.vertical_flip), "flips", "from 0 to 1");
  expect(is_probability(options.grayscale), "grayscale", "from 0 to 1");
  expect(options.rotation >= 0 && options.rotation <= 180, "rotation", "from 0 to 180 degrees");
  expect(!options.random_crop || !options.random_resized_crop, "random_crop", "or random_resized_crop, not both");
  if (options.random_crop)
    expect(options.random_crop->padding >= 0 && options.random_crop->padding <= most_side, "random_crop padding",
           "from 0 to 8192");
  if (const auto& crop = options.random_resized_crop) check_shapes("random_resized_crop", crop->scale, crop->ratio);
  if (options.color_jitter) check_color(*options.color_jitter);
  if (options.rand_augment) check_rand_augment(*options.rand_augment);
  if (const auto& erasing = options.random_erasing) {
    expect(is_probability(erasing->probability), "random_erasing probability", "from 0 to 1");
    check_shapes("random_erasing", erasing->scale, erasing->ratio);
  }
  for (const double std : options.std) expect(std > 0, "std", "above 0");
}

Picture resize_to(const Picture& picture, PictureSize size, image::Filter filter) {
  if (picture.width == size.width && picture.height == size.height) return picture;
  return image::resize(picture, size.width, size.height, {.filter = filter, .box = {}, .window = {}, .isa = {}});
}

// The shorter side as asked for, the longer one truncated, as torchvision's Resize(int).
PictureSize with_shortest_edge(const Picture& picture, int edge) {
  const auto longer = [&](int side, int shorter) {
    return static_cast<int>(static_cast<std::int64_t>(edge) * side / shorter);
  };
  if (picture.width <= picture.height) return {edge, longer(picture.height, picture.width)};
  return {longer(picture.width, picture.height), edge};
}

Window central_window(const Picture& picture, PictureSize size) {
  const auto start = [](int side, int wanted) {
    return side < wanted ? -((wanted - side) / 2) : static_cast<int>(std::nearbyint((side - wanted) / 2.0));
  };
  return {start(picture.width, size.width), start(picture.height, size.height), size.width, size.height};
}

void fill_with_noise(std::span<float> row, Random& random) {
  for (float& value : row) value = static_cast<float>(random.normal());
}

}  // namespace

Augmentation::Augmentation(const AugmentOptions& options) : options_(options), tables_{} {
  check(options);
  for (std::size_t c = 0; c < 3; ++c) {
    for (int byte = 0; byte < 256; ++byte) {
      const float value = static_cast<float>(byte) * static_cast<float>(1.0 / 255);
      tables_[c][static_cast<std::size_t>(byte)] =
          (value - static_cast<float>(options.mean[c])) / static_cast<float>(options.std[c]);
    }
  }
}

// Of the result's size.
Picture Augmentation::place(const Picture& original, Random& random) const {
  const PictureSize size{options_.size[1], options_.size[0]};
  Picture resized;
  if (options_.shortest_edge)
    resized = resize_to(original, with_shortest_edge(original, *options_.shortest_edge), options_.filter);
  const Picture& picture = options_.shortest_edge ? resized : original;
  if (options_.random_resized_crop) {
    const Window window = draw_resized_crop(*options_.random_resized_crop, {picture.width, picture.height}, random);
    return resize_to(crop_padded(picture, window, Padding::constant, {}), size, options_.filter);
  }
  if (const auto& crop = options_.random_crop) {
    const Window window = draw_crop(*crop, {picture.width, picture.height}, size, random);
    return crop_padded(picture, window, crop->mode, crop->fill);
  }
  if (options_.shortest_edge) return crop_padded(picture, central_window(picture, size), Padding::constant, {});
  return resize_to(picture, size, options_.filter);
}

Picture Augmentation::draw(const Picture& original, Random& random) const {
  Picture picture = place(original, random);
  if (options_.flip > 0 && random.chance(options_.flip)) picture = flip_left_right(std::move(picture));
  if (options_.vertical_flip > 0 && random.chance(options_.vertical_flip))
    picture = flip_top_bottom(std::move(picture));
  if (options_.rotation > 0) picture = rotate(picture, random.uniform(-options_.rotation, options_.rotation));
  if (options_.color_jitter) picture = jitter_color(std::move(picture), *options_.color_jitter, random);
  if (options_.grayscale > 0 && random.chance(options_.grayscale)) picture = to_gray(picture, picture.channels);
  if (const auto& rand_augment = options_.rand_augment) {
    const WarpOptions warp{.filter = rand_augment->filter, .fill = rand_augment->fill};
    for (int i = 0; i < rand_augment->operations; ++i) {
      const auto step = draw_rand_augment(*rand_augment, {picture.width, picture.height}, random);
      picture = data::apply(step, std::move(picture), warp);
    }
  }
  return picture.channels == options_.channels ? picture : to_gray(picture, options_.channels);
}

// Splits the channels into planes on the way.
void Augmentation::normalize(const Picture& picture, std::span<float> out) const {
  const auto channels = static_cast<std::size_t>(picture.channels);
  const std::size_t plane = out.size() / channels;
  const std::uint8_t* bytes = picture.pixels.data();
  for (std::size_t c = 0; c < channels; ++c) {
    const float* table = tables_[c].data();
    float* values = out.data() + c * plane;
    for (std::size_t i = 0; i < plane; ++i) values[i] = table[bytes[i * channels + c]];
  }
}

void Augmentation::apply(const Picture& picture, Random& random, std::span<float> out) const {
  const auto height = static_cast<std::size_t>(options_.size[0]), width = static_cast<std::size_t>(options_.size[1]);
  const auto channels = static_cast<std::size_t>(options_.channels);
  ASSERT(out.size() == channels * height * width, "the place for the pixels has channels * height * width numbers");
  normalize(draw(picture, random), out);
  if (!options_.random_erasing) return;
  const auto window = draw_erasing(*options_.random_erasing, {options_.size[1], options_.size[0]}, random);
  if (!window) return;
  for (std::size_t c = 0; c < channels; ++c) {
    for (int y = window->top; y < window->top + window->height; ++y) {
      const std::size_t first =
          (c * height + static_cast<std::size_t>(y)) * width + static_cast<std::size_t>(window->left);
      const auto row = out.subspan(first, static_cast<std::size_t>(window->width));
      if (options_.random_erasing->noise) {
        fill_with_noise(row, random);
      } else {
        std::ranges::fill(row, 0.0f);
      }
    }
  }
}

}  // namespace nunchi::data
