// data/boxes.h: where the objects of a picture are, as detection datasets keep it in a file beside it.
//
//   if (const auto file = boxes_file("labels", "photos/000000000139.jpg"))
//     for (const LabelledBox& box : read_boxes(*file)) use(box.label, box.left);
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nunchi::data {

struct LabelledBox {
  std::string label;                                // of YOLO's files a number
  double left = 0, top = 0, right = 0, bottom = 0;  // in shares of the picture: 0 ... 1
};

// YOLO's text (a line is CLASS X Y WIDTH HEIGHT: the centre and the size, in shares of the picture) or, where the name
// ends in .xml, Pascal VOC's (Everingham et al. 2010: both corners in pixels, the first of which is 1). Throws Error
// (input) that begins with the file's name and its line.
std::vector<LabelledBox> read_boxes(const std::filesystem::path& file);

// The file of a folder that belongs to a picture: of its name, ending in .txt or .xml. Nothing where there is none.
std::optional<std::filesystem::path> boxes_file(const std::filesystem::path& folder,
                                                const std::filesystem::path& picture);

}  // namespace nunchi::data
