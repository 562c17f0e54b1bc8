#include "data/label_mask.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "image/decode.h"

namespace nunchi::data {
namespace {

constexpr int unknown = 255;  // in grey masks, and of VOC's palette

// The number that has this colour in VOC's palette, which takes the bits of a number in turn for red, green and blue,
// the highest of each first; of any other colour a number of its own, the same in every file.
int palette_number(const std::uint8_t* pixel) {
  int number = 0;
  for (int bit = 0; bit < 8; ++bit)
    for (int part = 0; part < 3; ++part) number |= (pixel[part] >> (7 - bit) & 1) << (3 * bit + part);
  return number;
}

bool is_grey(const image::Picture& picture) {
  if (picture.channels < 3) return true;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3)
    if (picture.pixels[i] != picture.pixels[i + 1] || picture.pixels[i] != picture.pixels[i + 2]) return false;
  return true;
}

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
  const bool grey = is_grey(picture);
  LabelMask mask{.width = picture.width, .height = picture.height, .labels = {}};
  const auto step = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < picture.pixels.size(); i += step) {
    const int label = grey ? picture.pixels[i] : palette_number(&picture.pixels[i]);
    mask.labels.push_back(label == unknown ? LabelMask::nothing : label);
  }
  return mask;
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
