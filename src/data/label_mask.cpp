#include "data/label_mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "image/decode.h"

namespace nunchi::data {
namespace {

constexpr int grey_nothing = 255, color_nothing = 0xe0e0c0;

// One number per pixel: the grey value, or the colour as 0xRRGGBB.
std::vector<int> values_of(const image::Picture& picture) {
  std::vector<int> values;
  for (int y = 0; y < picture.height; ++y) {
    const std::uint8_t* pixel = picture.row(y);
    for (int x = 0; x < picture.width; ++x, pixel += picture.channels)
      values.push_back(picture.channels < 3 ? pixel[0] : pixel[0] << 16 | pixel[1] << 8 | pixel[2]);
  }
  return values;
}

bool is_grey(int color) { return (color >> 16) == (color & 0xff) && (color >> 8 & 0xff) == (color & 0xff); }

}  // namespace

int LabelMask::at(double x, double y) const {
  const int column = static_cast<int>(std::floor(x * width)), row = static_cast<int>(std::floor(y * height));
  if (column < 0 || row < 0 || column >= width || row >= height) return nothing;
  return labels[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)];
}

LabelMask read_label_mask(const std::filesystem::path& file) {
  const auto end = file.extension();
  if (end == ".jpg" || end == ".jpeg" || end == ".webp") {
    throw Error(ErrorKind::input, fmt::format("{}: expected a mask without loss (.png, .bmp, .tif), found {}, which "
                                              "changes colours; export it again as .png",
                                              file.string(), end.string()));
  }
  const auto picture = image::read_picture(file);
  auto values = values_of(picture);
  const std::set<int> colors(values.begin(), values.end());
  const bool grey = picture.channels < 3 || std::ranges::all_of(colors, is_grey);
  std::map<int, int> label_of;
  for (const int color : colors) {
    const bool known = grey ? (color & 0xff) != grey_nothing : color != color_nothing;
    const int next = static_cast<int>(label_of.size());
    if (known) label_of[color] = grey ? color & 0xff : next;
  }
  for (int& value : values) value = label_of.contains(value) ? label_of[value] : LabelMask::nothing;
  return {.width = picture.width, .height = picture.height, .labels = std::move(values)};
}

std::optional<std::filesystem::path> label_mask_file(const std::filesystem::path& folder,
                                                     const std::filesystem::path& picture) {
  for (const char* end : {".png", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm"}) {
    const auto file = folder / picture.filename().replace_extension(end);
    std::error_code error;
    const bool itself = std::filesystem::equivalent(file, picture, error);
    if (!itself && std::filesystem::is_regular_file(file, error)) return file;
  }
  return std::nullopt;
}

}  // namespace nunchi::data
