// draw/html_scatter.h: a map of many pictures as dots in the plane, such as a projection of their features, in which
// the reader of an HtmlReport looks around.
//
//   HtmlScatter map{.title = "2,000 pictures by their features", .description = "...", .groups = {"cat", "dog"}};
//   map.points.push_back({.x = 0.3, .y = -1.2, .name = "cat_017.jpg", .group = 0, .thumbnail = data_uri(jpeg, type),
//                         .neighbours = {{.point = 12, .score = "0.93"}}});
//   report.scatter(map);
//
// Wheel, fingers and keys move and enlarge; pointing shows a picture, a click its nearest ones; names are searched,
// groups left out. Quick with some thousands of points. Without script and in print: the dots.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "draw/html_words.h"

namespace nunchi::draw {

struct HtmlNeighbour {
  std::size_t point = 0;
  std::string score = {};  // beside it: "0.93"
};

struct HtmlPoint {
  double x = 0, y = 0;  // y upwards; one unit is as long in both
  std::string name;
  std::size_t group = 0;
  std::string thumbnail = {};                  // data_uri(); some 48 pixels will do
  std::vector<HtmlNeighbour> neighbours = {};  // the nearest first
};

struct HtmlScatter {
  std::string title = {};
  std::string description;  // for those who do not see it
  std::vector<HtmlPoint> points = {};
  std::vector<std::string> groups = {};  // their names; none: there is one and it has no name
};

// Asserts that there is a point, that all are finite, and that groups and neighbours exist. `heading` is the element of
// the title.
std::string scatter_html(const HtmlScatter& scatter, const HtmlWords& words, std::string_view heading = "h3");

}  // namespace nunchi::draw
