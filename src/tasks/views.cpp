#include "tasks/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "image/crop.h"
#include "image/exif.h"

namespace nunchi::tasks {
namespace {

View part(std::string name, double left, double top, double side) {
  return {.name = std::move(name), .left = left, .top = top, .width = side, .height = side};
}

const std::map<std::string, std::vector<View>, std::less<>>& view_sets() {
  static const std::map<std::string, std::vector<View>, std::less<>> sets = [] {
    const View mirrored{"mirrored", 2}, half_turn{"turned by 180", 3}, upside_down{"flipped", 4};
    const View quarter{"turned by 90", 6}, three_quarters{"turned by 270", 8};
    const View middle = part("centre 80 %", 0.1, 0.1, 0.8);
    return std::map<std::string, std::vector<View>, std::less<>>{
        {"flip", {mirrored}},
        {"flips", {mirrored, upside_down, half_turn}},
        {"rotations", {quarter, half_turn, three_quarters}},
        {"crops",
         {part("top left", 0, 0, 0.8), part("top right", 0.2, 0, 0.8), part("bottom left", 0, 0.2, 0.8),
          part("bottom right", 0.2, 0.2, 0.8), middle}},
        {"scales", {part("centre 90 %", 0.05, 0.05, 0.9), middle}}};
  }();
  return sets;
}

void add_set(std::vector<View>& views, const std::vector<View>& set) {
  for (const auto& view : set)
    if (std::ranges::none_of(views, [&](const View& other) { return view.same_as(other); })) views.push_back(view);
}

void add_named(std::vector<View>& views, std::string_view name) {
  const auto& sets = view_sets();
  if (name == "all") {
    for (const auto& [each, set] : sets) add_set(views, set);
    return;
  }
  const auto found = sets.find(name);
  if (found == sets.end()) {
    throw Error(ErrorKind::usage,
                fmt::format("--tta {}: not known; known are flip, flips, rotations, crops, scales and all", name));
  }
  add_set(views, found->second);
}

}  // namespace

bool View::same_as(const View& other) const {
  return orientation == other.orientation && left == other.left && top == other.top && width == other.width &&
         height == other.height;
}

std::vector<View> views_from_names(const std::string& names) {
  std::vector<View> views = {{.name = "whole"}};
  for (std::size_t begin = 0; begin <= names.size();) {
    const auto end = std::min(names.find(',', begin), names.size());
    add_named(views, std::string_view(names).substr(begin, end - begin));
    begin = end + 1;
  }
  return views;
}

image::Picture seen(const image::Picture& picture, const View& view) {
  const auto pixels = [](double share, int side) { return static_cast<int>(std::lround(share * side)); };
  const int left = pixels(view.left, picture.width), top = pixels(view.top, picture.height);
  const int width = std::clamp(pixels(view.width, picture.width), 1, picture.width - left);
  const int height = std::clamp(pixels(view.height, picture.height), 1, picture.height - top);
  auto result = image::crop(picture, {left, top, width, height});
  image::apply_orientation(result, view.orientation);
  return result;
}

}  // namespace nunchi::tasks
