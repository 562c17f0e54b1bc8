// Flips, padding and affine maps, as Pillow's Image.transpose, ImageOps.expand and Image.transform.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/assert.h"
#include "data/augment_ops.h"

namespace nunchi::data {
namespace {

using image::Filter;
using image::Picture;
using Matrix = std::array<double, 6>;

constexpr double degree = std::numbers::pi / 180;

// Where position `at` of an axis of `size` pixels comes from: -1 for the fill.
int source_of(int at, int size, Padding mode) {
  if (at >= 0 && at < size) return at;
  if (mode == Padding::constant) return -1;
  if (mode == Padding::edge || size == 1) return std::clamp(at, 0, size - 1);
  const int period = mode == Padding::reflect ? 2 * (size - 1) : 2 * size;
  const int phase = ((at % period) + period) % period;
  if (phase < size) return phase;
  return mode == Padding::reflect ? period - phase : period - 1 - phase;
}

void put_fill(std::uint8_t* out, const std::array<std::uint8_t, 3>& fill, int pixels, int channels) {
  for (int i = 0; i < pixels; ++i)
    for (int c = 0; c < channels; ++c) *out++ = fill[static_cast<std::size_t>(c)];
}

Picture filled(const Picture& like, const std::array<std::uint8_t, 3>& fill) {
  Picture result = image::make_picture(like.width, like.height, like.channels);
  put_fill(result.pixels.data(), fill, like.width * like.height, like.channels);
  return result;
}

void copy_pixel(const std::uint8_t* from, std::uint8_t* to, int channels) {
  to[0] = from[0];
  if (channels == 1) return;
  to[1] = from[1];
  to[2] = from[2];
}

// Pillow's path for matrices without shear: positions are summed up from pixel to pixel.
Picture scale_nearest(const Picture& picture, const Matrix& m, const WarpOptions& options) {
  Picture result = filled(picture, options.fill);
  std::vector<int> columns;
  for (double x = m[2] + m[0] * 0.5; columns.size() < static_cast<std::size_t>(picture.width); x += m[0])
    columns.push_back(x < 0 || x >= picture.width ? -1 : static_cast<int>(x));
  double from_y = m[5] + m[4] * 0.5;
  for (int y = 0; y < picture.height; ++y, from_y += m[4]) {
    if (from_y < 0 || from_y >= picture.height) continue;
    const std::uint8_t* row = picture.row(static_cast<int>(from_y));
    std::uint8_t* out = result.row(y);
    for (const int x : columns) {
      if (x >= 0) copy_pixel(row + static_cast<std::ptrdiff_t>(x) * picture.channels, out, picture.channels);
      out += picture.channels;
    }
  }
  return result;
}

// 16 bits after the point.
std::int64_t fixed(double value) { return static_cast<std::int64_t>(std::floor(value * 65536.0 + 0.5)); }

void check_range(const Picture& picture, const Matrix& m) {
  for (const int x : {0, picture.width}) {
    for (const int y : {0, picture.height}) {
      ASSERT(std::fabs(x * m[0] + y * m[1] + m[2]) < 32768 && std::fabs(x * m[3] + y * m[4] + m[5]) < 32768,
             "the corners of a warped picture come from below 32768");
    }
  }
}

Picture warp_nearest(const Picture& picture, const Matrix& m, const WarpOptions& options) {
  if (m[1] == 0 && m[3] == 0) return scale_nearest(picture, m, options);
  check_range(picture, m);
  Picture result = filled(picture, options.fill);
  const std::int64_t right[2] = {fixed(m[0]), fixed(m[3])}, down[2] = {fixed(m[1]), fixed(m[4])};
  std::int64_t row_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), row_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  const auto width = static_cast<std::uint64_t>(picture.width), height = static_cast<std::uint64_t>(picture.height);
  for (int y = 0; y < picture.height; ++y, row_x += down[0], row_y += down[1]) {
    std::uint8_t* out = result.row(y);
    std::int64_t from_x = row_x, from_y = row_y;
    for (int x = 0; x < picture.width; ++x, from_x += right[0], from_y += right[1], out += picture.channels) {
      const auto column = static_cast<std::uint64_t>(from_x >> 16), row = static_cast<std::uint64_t>(from_y >> 16);
      if (column >= width || row >= height) continue;  // negative ones are large here
      copy_pixel(picture.row(static_cast<int>(row)) + column * static_cast<std::size_t>(picture.channels), out,
                 picture.channels);
    }
  }
  return result;
}

// One channel around a point, for the two interpolations. Rows below the picture repeat the value of the row before
// them, columns outside the outermost pixel.
class Sampler {
 public:
  Sampler(const Picture& picture, double x, double y) : picture_(picture) {
    x -= 0.5;
    y -= 0.5;
    column_ = static_cast<int>(std::floor(x));
    row_ = static_cast<int>(std::floor(y));
    across_ = x - column_;
    down_ = y - row_;
  }

  double bilinear(int channel) const {
    const double first = linear(at(row_, 0, channel), at(row_, 1, channel), across_);
    const double second =
        is_row(row_ + 1) ? linear(at(row_ + 1, 0, channel), at(row_ + 1, 1, channel), across_) : first;
    return linear(first, second, down_);
  }

  double bicubic(int channel) const {
    std::array<double, 4> rows;
    for (int i = 0; i < 4; ++i) {
      const int row = row_ - 1 + i;
      const bool repeats = i > 0 && !is_row(row);
      rows[static_cast<std::size_t>(i)] =
          repeats ? rows[static_cast<std::size_t>(i - 1)]
                  : cubic(at(row, -1, channel), at(row, 0, channel), at(row, 1, channel), at(row, 2, channel), across_);
    }
    return cubic(rows[0], rows[1], rows[2], rows[3], down_);
  }

 private:
  static double linear(double a, double b, double d) { return a + (b - a) * d; }
  static double cubic(double a, double b, double c, double d, double t) {
    const double second = -a + c, third = 2 * (a - b) + c - d, fourth = -a + b - c + d;
    return b + t * (second + t * (third + t * fourth));
  }
  bool is_row(int row) const { return row >= 0 && row < picture_.height; }
  double at(int row, int right, int channel) const {
    const int x = std::clamp(column_ + right, 0, picture_.width - 1);
    return picture_.row(std::clamp(row, 0, picture_.height - 1))[x * picture_.channels + channel];
  }

  const Picture& picture_;
  int column_, row_;
  double across_, down_;
};

Picture warp_smooth(const Picture& picture, const Matrix& m, const WarpOptions& options) {
  Picture result = filled(picture, options.fill);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const double from_x = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2];
      const double from_y = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
      if (from_x < 0 || from_x >= picture.width || from_y < 0 || from_y >= picture.height) continue;
      const Sampler sampler(picture, from_x, from_y);
      std::uint8_t* out = result.row(y) + static_cast<std::ptrdiff_t>(x) * picture.channels;
      for (int c = 0; c < picture.channels; ++c) {
        const double value = options.filter == Filter::bilinear ? sampler.bilinear(c) : sampler.bicubic(c);
        out[c] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  return result;
}

// As Python's round(value, 15): the nearest decimal number, through its digits.
double rounded(double value) {
  const std::string digits = fmt::format("{:.15f}", value);
  double result = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

Picture quarter_turn(const Picture& picture, bool left) {
  Picture result = image::make_picture(picture.width, picture.height, picture.channels);
  const int last = picture.width - 1;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const int row = left ? x : last - x, column = left ? last - y : y;
      copy_pixel(picture.row(row) + static_cast<std::ptrdiff_t>(column) * picture.channels,
                 result.row(y) + static_cast<std::ptrdiff_t>(x) * picture.channels, picture.channels);
    }
  }
  return result;
}

}  // namespace

Picture flip_left_right(Picture picture) {
  for (int y = 0; y < picture.height; ++y) {
    std::uint8_t* left = picture.row(y);
    std::uint8_t* right = left + static_cast<std::ptrdiff_t>(picture.width - 1) * picture.channels;
    for (; left < right; left += picture.channels, right -= picture.channels)
      std::swap_ranges(left, left + picture.channels, right);
  }
  return picture;
}

Picture flip_top_bottom(Picture picture) {
  for (int top = 0, bottom = picture.height - 1; top < bottom; ++top, --bottom)
    std::swap_ranges(picture.row(top), picture.row(top) + picture.row_bytes(), picture.row(bottom));
  return picture;
}

Picture crop_padded(const Picture& picture, const image::Window& window, Padding mode,
                    std::array<std::uint8_t, 3> fill) {
  ASSERT(window.width > 0 && window.height > 0, "a window has pixels");
  Picture result = image::make_picture(window.width, window.height, picture.channels);
  const int channels = picture.channels;
  const int first = std::clamp(-window.left, 0, window.width);  // of the columns that lie in the picture
  const int last = std::clamp(picture.width - window.left, first, window.width);
  for (int y = 0; y < window.height; ++y) {
    std::uint8_t* out = result.row(y);
    const int from_y = source_of(window.top + y, picture.height, mode);
    if (from_y < 0) {
      put_fill(out, fill, window.width, channels);
      continue;
    }
    const auto outside = [&](int x) {
      const int from_x = source_of(window.left + x, picture.width, mode);
      std::uint8_t* pixel = out + static_cast<std::ptrdiff_t>(x) * channels;
      copy_pixel(from_x < 0 ? fill.data() : picture.row(from_y) + static_cast<std::ptrdiff_t>(from_x) * channels, pixel,
                 channels);
    };
    for (int x = 0; x < first; ++x) outside(x);
    const std::uint8_t* inside = picture.row(from_y) + static_cast<std::ptrdiff_t>(window.left + first) * channels;
    if (last > first) std::copy_n(inside, static_cast<std::ptrdiff_t>(last - first) * channels, out + first * channels);
    for (int x = last; x < window.width; ++x) outside(x);
  }
  return result;
}

Picture warp(const Picture& picture, const Matrix& matrix, const WarpOptions& options) {
  switch (options.filter) {
    case Filter::nearest:
      return warp_nearest(picture, matrix, options);
    case Filter::bilinear:
    case Filter::bicubic:
      return warp_smooth(picture, matrix, options);
    default:
      ASSERT(false, "a picture is warped with nearest, bilinear or bicubic");
  }
}

Picture rotate(const Picture& picture, double degrees, const WarpOptions& options) {
  const double positive = std::fmod(degrees, 360);
  const double turn = positive < 0 ? positive + 360 : positive;
  if (turn == 0) return picture;
  if (turn == 180) return flip_left_right(flip_top_bottom(picture));
  if ((turn == 90 || turn == 270) && picture.width == picture.height) return quarter_turn(picture, turn == 90);
  const double angle = -(turn * degree);
  const double cosine = rounded(std::cos(angle)), sine = rounded(std::sin(angle));
  Matrix m = {cosine, sine, 0, rounded(-std::sin(angle)), cosine, 0};
  const double x = picture.width / 2.0, y = picture.height / 2.0;
  m[2] = m[0] * -x + m[1] * -y + x;
  m[5] = m[3] * -x + m[4] * -y + y;
  return warp(picture, m, options);
}

// Through an angle and back, as torchvision does.
Picture shear_x(const Picture& picture, double slope, const WarpOptions& options) {
  const double angle = std::atan(slope) * (180 / std::numbers::pi) * degree;
  return warp(picture, {1, std::tan(angle), 0, 0, 1, 0}, options);
}

Picture shear_y(const Picture& picture, double slope, const WarpOptions& options) {
  const double angle = std::atan(slope) * (180 / std::numbers::pi) * degree;
  return warp(picture, {1, 0, 0, std::sin(angle) / std::cos(angle), 1, 0}, options);
}

Picture translate(const Picture& picture, int right, int down, const WarpOptions& options) {
  return warp(picture, {1, 0, static_cast<double>(-right), 0, 1, static_cast<double>(-down)}, options);
}

}  // namespace nunchi::data
