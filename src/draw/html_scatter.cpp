#include "draw/html_scatter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/assert.h"
#include "draw/html_parts.h"

namespace nunchi::draw {
namespace {

constexpr double width = 1000, height = 640, margin = 24;
constexpr std::size_t colors = 6;  // of html_style_widgets.h: --series-0 ...

// Dot, square, triangle, diamond about the origin: with the colours 24 groups are told apart.
constexpr std::array<std::string_view, 4> shapes = {"m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0", "m-4.5-4.5h9v9h-9z",
                                                    "m0-6l5.5 10h-11z", "m0-6l6 6l-6 6l-6-6z"};

std::size_t color_of_group(std::size_t group) { return group % colors; }
std::size_t shape_of_group(std::size_t group) { return group / colors % shapes.size(); }

void check(const HtmlScatter& scatter) {
  ASSERT(!scatter.points.empty(), "a map has points");
  const std::size_t groups = std::max<std::size_t>(1, scatter.groups.size());
  for (const auto& point : scatter.points) {
    ASSERT(std::isfinite(point.x) && std::isfinite(point.y), "points are somewhere");
    ASSERT(point.group < groups, "a point is of one of the groups");
    for (const auto& neighbour : point.neighbours)
      ASSERT(neighbour.point < scatter.points.size(), "a neighbour is one of the points");
  }
}

// From the caller's plane to the picture's, whose y goes down.
struct Placing {
  double scale = 1, middle_x = 0, middle_y = 0;

  double x(const HtmlPoint& point) const { return tenths(width / 2 + scale * (point.x - middle_x)); }
  double y(const HtmlPoint& point) const { return tenths(height / 2 - scale * (point.y - middle_y)); }
  static double tenths(double value) { return std::round(10 * value) / 10; }
};

Placing placing(const HtmlScatter& scatter) {
  const auto [left, right] = std::ranges::minmax(scatter.points, {}, &HtmlPoint::x);
  const auto [bottom, top] = std::ranges::minmax(scatter.points, {}, &HtmlPoint::y);
  const double wide = right.x - left.x, high = top.y - bottom.y;
  Placing place{.middle_x = (left.x + right.x) / 2, .middle_y = (bottom.y + top.y) / 2};
  if (wide > 0 || high > 0) place.scale = std::min((width - 2 * margin) / wide, (height - 2 * margin) / high);
  return place;
}

std::string dots(const HtmlScatter& scatter, const Placing& place) {
  std::string html = fmt::format("<svg class=\"unscripted\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
                                 width, height, escape_html(scatter.description));
  for (std::size_t group = 0; group < std::max<std::size_t>(1, scatter.groups.size()); ++group) {
    html += fmt::format("<path class=\"series-{}\" d=\"", color_of_group(group));
    for (const auto& point : scatter.points)
      if (point.group == group)
        html += fmt::format("M{} {}{}", place.x(point), place.y(point), shapes[shape_of_group(group)]);
    html += "\"/>\n";
  }
  return html + "</svg>";
}

Json data_of(const HtmlScatter& scatter, const Placing& place) {
  Json points = Json::array(), groups = Json::array();
  for (const auto& point : scatter.points) {
    Json neighbours = Json::array();
    for (const auto& [index, score] : point.neighbours) neighbours.push_back({index, score});
    points.push_back({{"x", place.x(point)},
                      {"y", place.y(point)},
                      {"name", point.name},
                      {"group", point.group},
                      {"thumbnail", point.thumbnail},
                      {"neighbours", neighbours}});
  }
  for (const auto& name : scatter.groups) groups.push_back(name);
  return {{"width", width}, {"height", height}, {"points", points}, {"groups", groups}, {"shapes", shapes}};
}

std::string legend(const HtmlScatter& scatter, const HtmlWords& words) {
  if (scatter.groups.empty()) return "";
  std::string html = fmt::format("<ul class=\"legend\" aria-label=\"{}\">\n", escape_html(words.groups));
  for (std::size_t group = 0; group < scatter.groups.size(); ++group) {
    const auto count = std::ranges::count(scatter.points, group, &HtmlPoint::group);
    html += fmt::format(
        "<li><svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\"><path class=\"series-{}\" d=\"M0 0{}\"/></svg>{} "
        "<small>{}</small></li>\n",
        color_of_group(group), shapes[shape_of_group(group)], escape_html(scatter.groups[group]), count);
  }
  return html + "</ul>\n";
}

std::string button(std::string_view name, std::string_view label, std::string_view sign) {
  return fmt::format("<button type=\"button\" class=\"{0}\" aria-label=\"{1}\" title=\"{1}\">{2}</button>", name,
                     escape_html(label), sign);
}

std::string stage(const HtmlScatter& scatter, const HtmlWords& words, const Placing& place) {
  return "<div class=\"stage\">" + dots(scatter, place) +
         fmt::format("<canvas class=\"scripted\" tabindex=\"0\" role=\"application\" aria-label=\"{}\"></canvas>",
                     escape_html(scatter.description)) +
         "<div class=\"zoom scripted\">" + button("nearer", words.zoom_in, "+") +
         button("farther", words.zoom_out, "&#8722;") + button("whole", words.zoom_all, "&#8634;") +
         "</div><div class=\"tip\" hidden></div>" + legend(scatter, words) + "</div>\n";
}

std::string panel(const HtmlScatter& scatter, const HtmlWords& words) {
  const bool pictures = std::ranges::any_of(scatter.points, [](const auto& point) { return !point.thumbnail.empty(); });
  std::string html = "<form class=\"panel\">\n<label class=\"search\"><span>" + escape_html(words.search) +
                     " <b role=\"status\"></b></span><input type=\"search\" autocomplete=\"off\" "
                     "spellcheck=\"false\"></label>\n<ol class=\"found\"></ol>\n";
  if (pictures) {
    html += "<label class=\"check\"><input type=\"checkbox\"> " + escape_html(words.as_pictures) + "</label>\n";
  }
  return html + "<div class=\"picked\" aria-live=\"polite\"></div>\n" +
         html_element("p", words.scatter_keys, " class=\"keys\"") + "</form>\n";
}

}  // namespace

std::string scatter_html(const HtmlScatter& scatter, const HtmlWords& words, std::string_view heading) {
  check(scatter);
  const Placing place = placing(scatter);
  std::string html =
      fmt::format("<section class=\"widget scatter\" aria-label=\"{}\" data-found=\"{}\" data-nearest=\"{}\">\n",
                  escape_html(scatter.title.empty() ? scatter.description : scatter.title), escape_html(words.found),
                  escape_html(words.nearest));
  if (!scatter.title.empty()) html += html_element(heading, scatter.title, " class=\"title\"") + "\n";
  return html + "<div class=\"sides\">" + stage(scatter, words, place) + panel(scatter, words) + "</div>\n" +
         html_data(data_of(scatter, place)) + "</section>\n";
}

}  // namespace nunchi::draw
