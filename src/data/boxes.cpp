#include "data/boxes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <sstream>

#include "core/file.h"

namespace nunchi::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = 1 << 20;

// Where in the file something stands.
class Place {
 public:
  Place(const fs::path& file, const std::string& text) : file_(file), text_(text) {}

  Error error(std::ptrdiff_t offset, const std::string& what) const {
    const auto end = text_.begin() + std::clamp<std::ptrdiff_t>(offset, 0, std::ssize(text_));
    return {ErrorKind::input, fmt::format("{}:{}: {}", file_.string(), 1 + std::count(text_.begin(), end, '\n'), what)};
  }

 private:
  const fs::path& file_;
  const std::string& text_;
};

bool all_finite(const LabelledBox& box) {
  return std::isfinite(box.left) && std::isfinite(box.top) && std::isfinite(box.right) && std::isfinite(box.bottom);
}

std::vector<LabelledBox> read_yolo(const std::string& text, const Place& place) {
  std::vector<LabelledBox> boxes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    LabelledBox box;
    double x = 0, y = 0, width = 0, height = 0;
    const bool complete(std::istringstream(line) >> box.label >> x >> y >> width >> height);
    box.left = x - width / 2, box.right = x + width / 2;
    box.top = y - height / 2, box.bottom = y + height / 2;
    if (!complete || !all_finite(box)) {
      const auto end = lines.eof() ? std::ssize(text) : static_cast<std::ptrdiff_t>(lines.tellg()) - 1;
      throw place.error(end, fmt::format("expected CLASS X Y WIDTH HEIGHT, found \"{}\"", line));
    }
    boxes.push_back(box);
  }
  return boxes;
}

// The number within <name>.
double number(const pugi::xml_node& parent, const char* name, const Place& place) {
  const auto child = parent.child(name);
  if (!child) throw place.error(parent.offset_debug(), fmt::format("expected <{}> in <{}>", name, parent.name()));
  const double value = child.text().as_double(std::nan(""));
  if (std::isfinite(value)) return value;
  throw place.error(child.offset_debug(),
                    fmt::format("<{}>: expected a number, found \"{}\"", name, child.text().as_string()));
}

std::vector<LabelledBox> read_voc(const std::string& text, const Place& place) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(text.data(), text.size());
  if (!parsed) throw place.error(parsed.offset, parsed.description());
  const auto annotation = document.child("annotation");
  if (!annotation) throw place.error(0, "expected <annotation>, as Pascal VOC has it");
  const auto size = annotation.child("size");
  if (!size) throw place.error(annotation.offset_debug(), "expected <size> in <annotation>");
  const double width = number(size, "width", place), height = number(size, "height", place);
  if (width < 1 || height < 1) throw place.error(size.offset_debug(), "expected a size of one pixel or more");
  std::vector<LabelledBox> boxes;
  for (const auto& object : annotation.children("object")) {
    const auto box = object.child("bndbox");
    if (!box) throw place.error(object.offset_debug(), "expected <bndbox> in <object>");
    boxes.push_back({.label = object.child("name").text().as_string(),
                     .left = (number(box, "xmin", place) - 1) / width,
                     .top = (number(box, "ymin", place) - 1) / height,
                     .right = number(box, "xmax", place) / width,
                     .bottom = number(box, "ymax", place) / height});
  }
  return boxes;
}

}  // namespace

std::vector<LabelledBox> read_boxes(const fs::path& file) {
  const auto text = read_file(file, most_bytes, ErrorKind::input);
  const Place place(file, text);
  return file.extension() == ".xml" ? read_voc(text, place) : read_yolo(text, place);
}

std::optional<fs::path> boxes_file(const fs::path& folder, const fs::path& picture) {
  for (const char* ending : {".txt", ".xml"}) {
    auto file = folder / picture.stem();
    file += ending;
    if (fs::exists(file)) return file;
  }
  return std::nullopt;
}

}  // namespace nunchi::data
