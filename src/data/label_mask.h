// data/label_mask.h: a mask that people drew: which class is at which pixel of a photo.
//
//   if (const auto file = label_mask_file("masks", "photos/cat.jpg")) {
//     const LabelMask mask = read_label_mask(*file);
//     mask.at(0.5, 0.5);                                // the label in the middle of the photo
//   }
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "image/picture.h"

namespace nunchi::data {

struct LabelMask {
  static constexpr int nothing = -1;

  int width = 0, height = 0;
  std::vector<int> labels;  // [height, width]

  // x and y in shares of the picture; `nothing` outside 0 ... 1.
  int at(double x, double y) const;
};

// A picture without loss (PNG, BMP, TIFF, GIF, PNM): of grey ones the value is the label, and 255 is `nothing`; of
// coloured ones its number in VOC's palette (Everingham et al. 2010), whose 255, the border, is `nothing`, too; a
// colour of another palette has a number of its own, the same in every file. Throws Error (input) for what cannot be
// read and for JPEG, whose colours are not what was written.
LabelMask read_label_mask(const std::filesystem::path& file);

// The file of a folder that has the picture's name and one of these endings: .png, .bmp, .tif, .tiff, .gif, .pgm,
// .ppm. Nothing where there is none.
std::optional<std::filesystem::path> label_mask_file(const std::filesystem::path& folder,
                                                     const std::filesystem::path& picture);

}  // namespace nunchi::data
