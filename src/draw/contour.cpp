#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "draw/blend.h"
#include "draw/overlay.h"

namespace nunchi::draw {
namespace {

// Between the middles of four patches the map bends; straight lines over cells this much smaller follow it.
constexpr int cells_per_patch = 4;

struct Corner {
  Point at;
  float value;
};

Corner corner(const HeatMap& map, int row, int column) {
  const Point at = {static_cast<double>(column) / (cells_per_patch * map.columns),
                    static_cast<double>(row) / (cells_per_patch * map.rows)};
  return {at, value_at(map, at.x, at.y)};
}

Point crossing(const Corner& a, const Corner& b, float level) {
  const double share = (level - a.value) / (b.value - a.value);
  return {std::lerp(a.at.x, b.at.x, share), std::lerp(a.at.y, b.at.y, share)};
}

// Lorensen and Cline's marching cubes (1987) in the plane. Corners clockwise; where two opposite ones are above, the
// middle decides which sides belong together.
void add_lines(std::vector<std::array<Point, 2>>& lines, const std::array<Corner, 4>& corners, float level) {
  if (!std::ranges::all_of(corners, [](const Corner& c) { return std::isfinite(c.value); })) return;
  const auto above = [&](std::size_t i) { return corners[i % 4].value >= level; };
  std::vector<Point> crossings;  // of the sides, in order; two or four
  for (std::size_t i = 0; i < 4; ++i) {
    if (above(i) != above(i + 1)) crossings.push_back(crossing(corners[i], corners[(i + 1) % 4], level));
  }
  if (crossings.size() == 2) lines.push_back({crossings[0], crossings[1]});
  if (crossings.size() != 4) return;
  const float middle = (corners[0].value + corners[1].value + corners[2].value + corners[3].value) / 4;
  const std::size_t first = (middle >= level) == above(0) ? 0 : 3;  // which two crossings enclose a corner
  lines.push_back({crossings[first], crossings[(first + 1) % 4]});
  lines.push_back({crossings[(first + 2) % 4], crossings[(first + 3) % 4]});
}

double distance(const Point& point, const std::array<Point, 2>& line) {
  const double dx = line[1].x - line[0].x, dy = line[1].y - line[0].y, length = dx * dx + dy * dy;
  const double along = ((point.x - line[0].x) * dx + (point.y - line[0].y) * dy) / (length > 0 ? length : 1);
  const double share = std::clamp(along, 0.0, 1.0);
  return std::hypot(point.x - line[0].x - share * dx, point.y - line[0].y - share * dy);
}

// How much of each pixel the lines cover. Pieces meet without a seam because the greatest counts, not the sum.
class Coverage {
 public:
  Coverage(int width, int height)
      : width_(width), height_(height), shares_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

  void add(const std::array<Point, 2>& line, double thickness) {
    const double reach = thickness / 2 + 1;
    const auto [left, right] = std::minmax(line[0].x, line[1].x);
    const auto [top, bottom] = std::minmax(line[0].y, line[1].y);
    for (int y = std::max(0, static_cast<int>(top - reach)); y < std::min<double>(height_, bottom + reach); ++y) {
      for (int x = std::max(0, static_cast<int>(left - reach)); x < std::min<double>(width_, right + reach); ++x) {
        const double away = distance({x + 0.5, y + 0.5}, line);
        float& share = shares_[index(x, y)];
        share = std::max(share, static_cast<float>(std::clamp(thickness / 2 + 0.5 - away, 0.0, 1.0)));
      }
    }
  }

  float at(int x, int y) const { return shares_[index(x, y)]; }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }

  int width_, height_;
  std::vector<float> shares_;
};

}  // namespace

std::vector<std::array<Point, 2>> contour_lines(const HeatMap& map, float level) {
  ASSERT(map.rows > 0 && map.columns > 0 &&
             map.values.size() == static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns),
         "a heat map has a value for each place");
  std::vector<std::array<Point, 2>> lines;
  for (int row = 0; row < cells_per_patch * map.rows; ++row) {
    for (int column = 0; column < cells_per_patch * map.columns; ++column) {
      add_lines(lines,
                {corner(map, row, column), corner(map, row, column + 1), corner(map, row + 1, column + 1),
                 corner(map, row + 1, column)},
                level);
    }
  }
  return lines;
}

image::Picture contour(const image::Picture& picture, const HeatMap& map, const ContourOptions& options) {
  Coverage coverage(picture.width, picture.height);
  for (auto [from, to] : contour_lines(map, options.level)) {
    coverage.add(
        {Point{from.x * picture.width, from.y * picture.height}, Point{to.x * picture.width, to.y * picture.height}},
        options.width);
  }
  auto result = as_rgb(picture);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x)
      blend(result.row(y) + 3 * x, options.color, options.color.opacity * coverage.at(x, y));
  }
  return result;
}

}  // namespace nunchi::draw
