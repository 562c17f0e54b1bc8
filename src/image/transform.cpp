#include "image/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/assert.h"
#include "image/resize_reals.h"
#include "image/seen_part.h"

namespace nunchi::image {
namespace {

constexpr int channels = 3;

// Python's int(size * long / short): the product is exact, the quotient rounded to double.
int scaled_side(double size, int side, int other) { return static_cast<int>(size * side / other); }

int round_half_even(double value) { return static_cast<int>(std::nearbyint(value)); }

Size shortest_edge_size(const ResizeStep& step, Size input) {
  const int shorter = std::min(input.height, input.width);
  const int longer = std::max(input.height, input.width);
  int short_side = step.size.height;
  double long_base = short_side;
  if (step.longest && static_cast<double>(longer) / shorter * short_side > *step.longest) {
    long_base = static_cast<double>(*step.longest) * shorter / longer;
    short_side = round_half_even(long_base);
    if (shorter == short_side) return input;
  }
  const int long_side = scaled_side(long_base, longer, shorter);
  return input.width < input.height ? Size{long_side, short_side} : Size{short_side, long_side};
}

Size longest_edge_size(int longest, Size input) {
  const double scale = longest * 1.0 / std::max(input.height, input.width);
  return {static_cast<int>(input.height * scale + 0.5), static_cast<int>(input.width * scale + 0.5)};
}

Size fit_inside_size(Size most, Size input) {
  const double scale =
      std::min(static_cast<double>(most.height) / input.height, static_cast<double>(most.width) / input.width);
  return {static_cast<int>(input.height * scale), static_cast<int>(input.width * scale)};
}

Size keep_ratio_size(Size target, Size input, bool contain) {
  const double down = static_cast<double>(input.height) / target.height;
  const double across = static_cast<double>(input.width) / target.width;
  const double ratio = contain ? std::max(down, across) : std::min(down, across);
  return {round_half_even(input.height / ratio), round_half_even(input.width / ratio)};
}

Size resized_size(const ResizeStep& step, Size input) {
  switch (step.mode) {
    case ResizeMode::none:
      return input;
    case ResizeMode::exact:
      return step.size;
    case ResizeMode::shortest_edge:
      return shortest_edge_size(step, input);
    case ResizeMode::longest_edge:
      return longest_edge_size(step.size.height, input);
    case ResizeMode::fit_inside:
      return fit_inside_size(step.size, input);
    case ResizeMode::cover:
      return keep_ratio_size(step.size, input, /* contain */ false);
    case ResizeMode::contain:
      return keep_ratio_size(step.size, input, /* contain */ true);
  }
  ASSERT(false, "every resize mode has a size");
}

// Where the crop begins in the resized picture; negative where the picture is smaller and lies inside the crop.
int crop_start(CropRounding rounding, int have, int want) {
  if (rounding == CropRounding::floor) return static_cast<int>(std::floor((have - want) / 2.0));
  if (have < want) return -((want - have) / 2);
  return rounding == CropRounding::half_even ? round_half_even((have - want) / 2.0) : (have - want) / 2;
}

// One axis: output pixels [skip, skip + count) show resized pixels from `start` on, the others are filled.
struct Span {
  int size = 0, start = 0, skip = 0, count = 0;
};

Span crop_axis(CropRounding rounding, int have, int want) {
  const int start = crop_start(rounding, have, want);
  const int skip = std::max(-start, 0);
  return {want, std::max(start, 0), skip, std::min(have - std::max(start, 0), want - skip)};
}

struct Geometry {
  Size resized;
  Span down, across;  // the crop, or all of it
  Size output;        // after padding
};

void check_size(Size size, Size input) {
  constexpr std::int64_t most = std::int64_t{1} << 28;
  if (size.height > 0 && size.width > 0 && std::int64_t{size.height} * size.width <= most) return;
  throw Error(ErrorKind::input,
              fmt::format("a picture of {}x{} (height x width) cannot be resized to {}x{}; crop it first", input.height,
                          input.width, size.height, size.width));
}

Geometry geometry_of(const Transform& transform, Size input) {
  Geometry geometry{.resized = resized_size(transform.resize, input), .down = {}, .across = {}, .output = {}};
  const Size resized = geometry.resized;
  check_size(resized, input);
  const CropStep crop = transform.crop.value_or(CropStep{.size = resized});
  geometry.down = crop_axis(crop.rounding, resized.height, crop.size.height);
  geometry.across = crop_axis(crop.rounding, resized.width, crop.size.width);
  geometry.output = transform.pad.value_or(crop.size);
  if (geometry.output.height < crop.size.height || geometry.output.width < crop.size.width) {
    throw Error(ErrorKind::input,
                fmt::format("a picture that became {}x{} does not fit the padded size {}x{}", crop.size.height,
                            crop.size.width, geometry.output.height, geometry.output.width));
  }
  return geometry;
}

using Table = std::array<float, 256>;

float scale(const Transform& transform, int byte) {
  switch (transform.scaling) {
    case Scaling::none:
    case Scaling::fused:
      return static_cast<float>(byte);
    case Scaling::multiply:
      return static_cast<float>(byte * transform.factor);
    case Scaling::divide:
      return static_cast<float>(byte) / static_cast<float>(transform.factor);
    case Scaling::single:
      return static_cast<float>(byte) * static_cast<float>(transform.factor);
  }
  ASSERT(false, "every scaling has a formula");
}

float fuse(const Transform& transform, double value) {
  const auto narrow = static_cast<float>(value);
  return transform.scaling == Scaling::fused ? narrow * static_cast<float>(1.0 / transform.factor) : narrow;
}

float normalized(const Transform& transform, std::size_t channel, float value) {
  if (transform.minus_one) value -= 1.0f;
  if (!transform.normalize) return value;
  const float std = fuse(transform, transform.normalize->std[channel]);
  value = (value - fuse(transform, transform.normalize->mean[channel])) / std;
  return transform.divide_by_std_again ? value / std : value;
}

// Every step after the crop acts on single bytes, so a table of 256 numbers per channel holds it exactly.
Table value_table(const Transform& transform, std::size_t channel) {
  Table table{};
  for (int byte = 0; byte < 256; ++byte) {
    table[static_cast<std::size_t>(byte)] = normalized(transform, channel, scale(transform, byte));
  }
  return table;
}

void fill_row(const Transform& transform, const Table& table, std::size_t channel, std::span<float> row) {
  const std::uint8_t byte = transform.crop ? transform.crop->fill[channel] : std::uint8_t{0};
  std::fill(row.begin(), row.end(), table[byte]);
}

void convert_row(const std::uint8_t* pixels, int picture_channels, const Table& table, std::span<float> row) {
  for (float& value : row) {
    value = table[*pixels];
    pixels += picture_channels;
  }
}

Picture resize_part(const Transform& transform, const Picture& picture, const Geometry& geometry) {
  const Window window{geometry.across.start, geometry.down.start, geometry.across.count, geometry.down.count};
  return resize(
      picture, geometry.resized.width, geometry.resized.height,
      {.filter = transform.resize.filter, .backend = transform.backend, .box = {}, .window = window, .isa = {}});
}

// Writes one plane [height, width] of the result.
void write_plane(const Transform& transform, const Picture& part, const Geometry& geometry, std::size_t plane,
                 std::span<float> values) {
  const std::size_t source = transform.flip_channels ? channels - 1 - plane : plane;
  const Table table = value_table(transform, plane);
  const auto width = static_cast<std::size_t>(geometry.output.width);
  const auto crop_width = static_cast<std::size_t>(geometry.across.size);
  if (transform.pad) std::fill(values.begin(), values.end(), 0.0f);
  for (int y = 0; y < geometry.down.size; ++y) {
    const std::span<float> row = values.subspan(static_cast<std::size_t>(y) * width, crop_width);
    const int part_y = y - geometry.down.skip;
    const bool inside = part_y >= 0 && part_y < part.height;
    if (!inside || part.width < geometry.across.size) fill_row(transform, table, source, row);
    if (!inside) continue;
    const std::uint8_t* pixels = part.row(part_y) + (part.channels == 1 ? 0 : source);
    convert_row(pixels, part.channels, table,
                row.subspan(static_cast<std::size_t>(geometry.across.skip), static_cast<std::size_t>(part.width)));
  }
}

// One channel, scaled.
Plane scaled_plane(const Transform& transform, const Picture& picture, std::size_t channel) {
  Plane plane{.width = picture.width, .height = picture.height, .values = {}};
  plane.values.reserve(static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height));
  const auto step = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = picture.channels == 1 ? 0 : channel; i < picture.pixels.size(); i += step)
    plane.values.push_back(scale(transform, picture.pixels[i]));
  return plane;
}

// The same steps in another order: what the crop lacks is zero before it is normalised.
void write_real_plane(const Transform& transform, const Picture& picture, const Geometry& geometry, std::size_t channel,
                      std::span<float> values) {
  const Plane plane = resize_reals(scaled_plane(transform, picture, channel), geometry.resized.width,
                                   geometry.resized.height, transform.resize.filter);
  const Span &down = geometry.down, &across = geometry.across;
  std::size_t next = 0;
  for (int y = 0; y < down.size; ++y) {
    for (int x = 0; x < across.size; ++x) {
      const int row = y - down.skip, column = x - across.skip;
      const bool inside = row >= 0 && row < down.count && column >= 0 && column < across.count;
      const auto at = static_cast<std::size_t>(row + down.start) * static_cast<std::size_t>(plane.width) +
                      static_cast<std::size_t>(column + across.start);
      values[next++] = normalized(transform, channel, inside ? plane.values[at] : 0.0f);
    }
  }
}

}  // namespace

Transform with_size(Transform transform, int height, int width) {
  transform.resize.mode = ResizeMode::exact;
  transform.resize.size = {height, width};
  transform.crop.reset();
  transform.pad.reset();
  return transform;
}

Transform on_torchvision(Transform transform) {
  transform.backend = Backend::torchvision;
  if (transform.scaling == Scaling::multiply && transform.normalize) transform.scaling = Scaling::fused;
  if (transform.crop) transform.crop->rounding = CropRounding::truncate;
  return transform;
}

Size output_size(const Transform& transform, Size input) { return geometry_of(transform, input).output; }

Box seen_part(const Transform& transform, Size input) {
  const Geometry geometry = geometry_of(transform, input);
  const float down = static_cast<float>(input.height) / static_cast<float>(geometry.resized.height);
  const float across = static_cast<float>(input.width) / static_cast<float>(geometry.resized.width);
  const auto left = static_cast<float>(geometry.across.start - geometry.across.skip) * across;
  const auto top = static_cast<float>(geometry.down.start - geometry.down.skip) * down;
  return {left, top, left + static_cast<float>(geometry.output.width) * across,
          top + static_cast<float>(geometry.output.height) * down};
}

DecodeOptions decoding_for(const Transform& transform, DecodeOptions options) {
  options.apply_exif_orientation = options.apply_exif_orientation && transform.apply_exif_orientation;
  return options;
}

PixelValues apply(const Transform& transform, const Picture& picture) {
  const Size size = output_size(transform, {picture.height, picture.width});
  PixelValues result{channels, size.height, size.width, {}};
  result.values.resize(static_cast<std::size_t>(channels) * static_cast<std::size_t>(size.height) *
                       static_cast<std::size_t>(size.width));
  apply_into(transform, picture, result.values);
  return result;
}

void apply_into(const Transform& transform, const Picture& picture, std::span<float> destination) {
  const Geometry geometry = geometry_of(transform, {picture.height, picture.width});
  const std::size_t plane_size =
      static_cast<std::size_t>(geometry.output.height) * static_cast<std::size_t>(geometry.output.width);
  ASSERT(destination.size() == channels * plane_size, "the destination has the size that output_size() gives");
  if (transform.scale_before_resize) {
    for (std::size_t plane = 0; plane < channels; ++plane)
      write_real_plane(transform, picture, geometry, plane, destination.subspan(plane * plane_size, plane_size));
    return;
  }
  const Picture part = resize_part(transform, picture, geometry);
  for (std::size_t plane = 0; plane < channels; ++plane) {
    write_plane(transform, part, geometry, plane, destination.subspan(plane * plane_size, plane_size));
  }
}

}  // namespace nunchi::image
