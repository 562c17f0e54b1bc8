#include "explain/upsample.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace nunchi::explain {
namespace {

using Rgb = std::array<float, 3>;

Rgb color_at(const image::Picture& picture, int row, int column) {
  const std::uint8_t* pixel = picture.row(row) + column * picture.channels;
  const std::size_t green = picture.channels == 3 ? 1 : 0, blue = picture.channels == 3 ? 2 : 0;
  return {static_cast<float>(pixel[0]) / 255, static_cast<float>(pixel[green]) / 255,
          static_cast<float>(pixel[blue]) / 255};
}

// Where a patch begins and ends, at least one pixel.
std::array<int, 2> share_of(int length, int parts, int index) {
  const auto begin = static_cast<int>(static_cast<std::int64_t>(length) * index / parts);
  const auto end = static_cast<int>(static_cast<std::int64_t>(length) * (index + 1) / parts);
  const int first = std::min(begin, length - 1);
  return {first, std::max(end, first + 1)};
}

// The mean colour of each patch, [rows * columns].
std::vector<Rgb> patch_colors(const image::Picture& picture, int rows, int columns) {
  std::vector<Rgb> colors;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const auto [top, bottom] = share_of(picture.height, rows, row);
      const auto [left, right] = share_of(picture.width, columns, column);
      Rgb sum = {0, 0, 0};
      for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
          const Rgb color = color_at(picture, y, x);
          for (std::size_t i = 0; i < 3; ++i) sum[i] += color[i];
        }
      }
      for (float& part : sum) part /= static_cast<float>((bottom - top) * (right - left));
      colors.push_back(sum);
    }
  }
  return colors;
}

float squared_distance(const Rgb& a, const Rgb& b) {
  float sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// The map with the patches around a pixel: what they weigh, and their mean.
struct Upsampler {
  const image::Picture& picture;
  const UpsampleOptions& options;
  int channels, rows, columns;
  const float* map;  // [channels, rows, columns]
  std::vector<Rgb> colors;
  float* result;  // [channels, height, width]

  float weight(const Rgb& color, float down, float across, int row, int column) const {
    const float y = down - static_cast<float>(row), x = across - static_cast<float>(column);
    const auto distance = static_cast<float>(2 * options.distance * options.distance);
    const auto colour = static_cast<float>(2 * options.color * options.color);
    const auto place =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
    // The floor keeps a pixel whose colour no patch has from dividing by nothing: the nearest patches decide then.
    return std::exp(-(x * x + y * y) / distance) * (std::exp(-squared_distance(color, colors[place]) / colour) + 1e-6f);
  }

  void pixel(int y, int x, std::vector<float>& sums) const {
    const float down =
        (static_cast<float>(y) + 0.5f) * static_cast<float>(rows) / static_cast<float>(picture.height) - 0.5f;
    const float across =
        (static_cast<float>(x) + 0.5f) * static_cast<float>(columns) / static_cast<float>(picture.width) - 0.5f;
    const int middle_row = static_cast<int>(std::lround(down)), middle_column = static_cast<int>(std::lround(across));
    const Rgb color = color_at(picture, y, x);
    std::ranges::fill(sums, 0.0f);
    float whole = 0;
    for (int row = std::max(0, middle_row - options.radius); row <= std::min(rows - 1, middle_row + options.radius);
         ++row) {
      for (int column = std::max(0, middle_column - options.radius);
           column <= std::min(columns - 1, middle_column + options.radius); ++column) {
        const float part = weight(color, down, across, row, column);
        whole += part;
        for (int c = 0; c < channels; ++c)
          sums[static_cast<std::size_t>(c)] += part * map[(c * rows + row) * columns + column];
      }
    }
    const auto plane = static_cast<std::int64_t>(picture.height) * picture.width;
    for (int c = 0; c < channels; ++c)
      result[c * plane + static_cast<std::int64_t>(y) * picture.width + x] = sums[static_cast<std::size_t>(c)] / whole;
  }

  void line(int y) const {
    std::vector<float> sums(static_cast<std::size_t>(channels));
    for (int x = 0; x < picture.width; ++x) pixel(y, x, sums);
  }
};

}  // namespace

Tensor joint_bilateral_upsample(const Tensor& map, const image::Picture& picture, const UpsampleOptions& options) {
  ASSERT(map.dim() == 3 && map.numel() > 0 && picture.width > 0 && picture.height > 0,
         "a map has a value for each patch of a picture");
  ASSERT(options.distance > 0 && options.color > 0 && options.radius >= 1, "the Gaussians have a width");
  const Tensor values = map.to(at::kFloat).contiguous();
  Tensor result = at::empty({map.size(0), picture.height, picture.width}, at::kFloat);
  const int rows = static_cast<int>(map.size(1)), columns = static_cast<int>(map.size(2));
  const Upsampler upsampler{.picture = picture,
                            .options = options,
                            .channels = static_cast<int>(map.size(0)),
                            .rows = rows,
                            .columns = columns,
                            .map = values.const_data_ptr<float>(),
                            .colors = patch_colors(picture, rows, columns),
                            .result = result.mutable_data_ptr<float>()};
  at::parallel_for(0, picture.height, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t y = begin; y < end; ++y) upsampler.line(static_cast<int>(y));
  });
  return result;
}

}  // namespace nunchi::explain
