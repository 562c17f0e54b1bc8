#include "cli/graph_drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "cli/commands.h"
#include "draw/words.h"

namespace nunchi::cli {
namespace {

using draw::Canvas;
using draw::Color;
using draw::Point;
using draw::Rectangle;
using explain::GraphLayer;

constexpr double row_height = 26, gap = 14, sum_gap = 37, first_gap = 22, inset = 16, bracket_room = 22,
                 flow_from_left = 26;
constexpr double diagram_width = 470, table_gap = 24, corner = 5;
constexpr double shape_width = 132, number_width = 96, bar_width = 84;
constexpr double sheet_width =
    2 * draw::margin + diagram_width + table_gap + shape_width + 2 * number_width + bar_width + 30;
constexpr double most_height = 9000;  // points; a sheet of pixels is twice as high and has an end

const std::map<std::string, Color>& kind_colors() {
  static const std::map<std::string, Color> colors = {
      {"attention", draw::rgb(0x0072b2)},   {"linear", draw::rgb(0xe69f00)},
      {"convolution", draw::rgb(0x009e73)}, {"patch embedding", draw::rgb(0x56b4e9)},
      {"layer norm", draw::rgb(0x8b939e)},  {"RMS norm", draw::rgb(0x8b939e)},
      {"group norm", draw::rgb(0x8b939e)},  {"parameter", draw::rgb(0xcc79a7)}};
  return colors;
}

Color faded(Color color, double opacity) {
  color.opacity = opacity;
  return color;
}

bool is_on_shortcut(const GraphLayer& block, const GraphLayer& part) {
  return block.kind == "block" && part.name.starts_with("downsample");  // as torchvision and timm call it
}

// A layer and the boxes of its parts: first the parameters, then what the data passes, at last what lies on a shortcut.
struct Box {
  const GraphLayer* layer;
  Rectangle place = {};
  double repeats = 1;  // of all that it lies in, its own among them
  bool on_shortcut = false, sum_behind = false;
  std::vector<Box> parts = {};

  bool is_parameter() const { return layer->kind == "parameter"; }
};

Box box_of(const GraphLayer& layer, double repeats) {
  Box box{.layer = &layer, .repeats = repeats * static_cast<double>(layer.count)};
  for (const auto& child : layer.children) {
    box.parts.push_back(box_of(child, box.repeats));
    box.parts.back().on_shortcut = is_on_shortcut(layer, child);
    box.parts.back().sum_behind = layer.kind == "block" && explain::adds_within(child);
  }
  const auto order = [](const Box& part) { return part.is_parameter() ? 0 : part.on_shortcut ? 2 : 1; };
  std::ranges::stable_sort(box.parts, {}, order);
  if (box.parts.size() > 1 && box.parts.back().on_shortcut) {
    std::swap(box.parts.back().sum_behind, box.parts[box.parts.size() - 2].sum_behind);
    box.parts[box.parts.size() - 2].sum_behind = false;
    box.parts.back().sum_behind = true;
  }
  return box;
}

double gap_behind(const Box& box) { return box.sum_behind ? sum_gap : gap; }

// Gives the box and its parts their places; returns the lower edge.
double lay_out(Box& box, double x, double y, double width) {
  box.place = {x, y, width, row_height};
  if (box.parts.empty()) return box.place.bottom();
  const bool has_bracket = std::ranges::any_of(box.parts, &Box::sum_behind);
  const double inner = width - 2 * inset - (has_bracket ? bracket_room : 0);
  double below = y + row_height + (has_bracket ? first_gap : gap / 2);
  for (auto& part : box.parts) {
    const double aside = part.on_shortcut ? 2 * flow_from_left : 0;
    below = lay_out(part, x + inset + aside, below, inner - aside) + gap_behind(part);
  }
  const bool ends_with_sum = box.parts.back().sum_behind;
  box.place.height = below - y - (ends_with_sum ? 0 : gap - 10);
  return box.place.bottom();
}

void arrow_head(Canvas& canvas, const Point& tip, bool leftwards, const Color& color) {
  const double s = 4;
  const std::array<Point, 3> points = leftwards
                                          ? std::array<Point, 3>{{{tip.x + s, tip.y - s}, tip, {tip.x + s, tip.y + s}}}
                                          : std::array<Point, 3>{{{tip.x - s, tip.y - s}, tip, {tip.x + s, tip.y - s}}};
  canvas.line(points, {.color = color, .width = 1.4});
}

class Painter {
 public:
  Painter(Canvas& canvas, double total_macs) : canvas_(canvas), theme_(canvas.theme()), total_macs_(total_macs) {}

  void paint(const Box& box) {
    paint_ground(box);
    paint_words(box);
    paint_costs(box);
    paint_flow(box);
    for (const auto& part : box.parts) paint(part);
  }

  void paint_flow(const Box& box) {
    const Box* before = nullptr;
    const Box* sum_before = nullptr;
    for (const auto& part : box.parts) {
      if (part.is_parameter() || part.on_shortcut) continue;
      if (before != nullptr) down(flow_x(box), before->place.bottom(), part.place.y);
      before = &part;
    }
    for (const auto& part : box.parts) {
      if (!part.sum_behind) continue;
      paint_sum(box, part, sum_before);
      sum_before = &part;
    }
  }

  void down(double x, double from, double to) {
    canvas_.line({x, from}, {x, to - 1}, line());
    arrow_head(canvas_, {x, to - 1.5}, /*leftwards=*/false, line().color);
  }

 private:
  draw::LineStyle line() const { return {.color = theme_.quiet_ink, .width = 1.4}; }

  static double flow_x(const Box& box) { return box.place.x + inset + flow_from_left; }

  void paint_ground(const Box& box) {
    const auto kind = kind_colors().find(box.layer->kind);
    const bool has_color = kind != kind_colors().end();
    if (box.layer->count > 1) {
      for (const double step : {6.0, 3.0}) {
        const Rectangle behind = {box.place.x + step, box.place.y + step, box.place.width, box.place.height};
        canvas_.fill(behind, theme_.paper, corner);
        canvas_.outline(behind, {.color = faded(theme_.quiet_ink, 0.45)}, corner);
      }
    }
    canvas_.fill(box.place, theme_.paper, corner);
    const bool leaf = box.parts.empty();
    canvas_.fill(box.place, has_color ? faded(kind->second, leaf ? 0.20 : 0.10) : faded(theme_.ink, 0.035), corner);
    canvas_.outline(
        box.place,
        {.color = has_color ? faded(kind->second, 0.9) : faded(theme_.quiet_ink, 0.6), .dashed = box.is_parameter()},
        corner);
  }

  // "12 x block", and in small letters which ones; of all else the name, and at the right the kind.
  void paint_words(const Box& box) {
    const auto& layer = *box.layer;
    const bool is_group = layer.kind == "block" || layer.kind == "stage";
    const auto kind = is_group ? "" : layer.kind;
    const double kind_width = kind.empty() ? 0 : canvas_.measure(kind, draw::small_style(theme_)).width + 8;
    const double y = box.place.y + 5.5, end = box.place.right() - 10;
    double x = box.place.x + 10;
    const auto strong = box.parts.empty() ? draw::plain_style(theme_) : draw::heading_style(theme_);
    if (layer.count > 1) x += canvas_.text(fmt::format("{} \u00d7", layer.count), {x, y}, strong).width + 5;
    if (is_group) x += canvas_.text(layer.kind, {x, y}, strong).width + 7;
    const auto name_style = is_group ? draw::small_style(theme_) : strong;
    canvas_.text(layer.name, {x, is_group ? y + 1 : y}, draw::within(name_style, end - kind_width - x));
    auto style = draw::small_style(theme_);
    style.align = draw::Align::right;
    if (!kind.empty()) canvas_.text(kind, {end, y + 0.5}, style);
  }

  void paint_costs(const Box& box) {
    const auto& layer = *box.layer;
    const double y = box.place.y + 5.5;
    double x = draw::margin + diagram_width + table_gap;
    const auto style = draw::within(draw::plain_style(theme_), shape_width - 8);
    if (!layer.shape.empty()) canvas_.text(to_string(layer.shape), {x, y}, style);
    x += shape_width + number_width;
    paint_number(layer, layer.parameters, {x, y});
    x += number_width;
    paint_number(layer, 2 * layer.macs, {x, y});
    if (layer.macs == 0 || total_macs_ == 0) return;
    const double share = static_cast<double>(layer.macs) * box.repeats / total_macs_;
    const auto kind = kind_colors().find(layer.kind);
    const Rectangle whole = {x + 16, box.place.y + row_height / 2 - 4, bar_width, 8};
    canvas_.fill(whole, faded(theme_.ink, 0.07), 2);
    canvas_.fill({whole.x, whole.y, std::max(1.0, bar_width * share), whole.height},
                 kind == kind_colors().end() ? theme_.quiet_ink : kind->second, share > 0.03 ? 2 : 0);
  }

  void paint_number(const GraphLayer& layer, std::int64_t number, const Point& right) {
    if (number == 0) return;
    const auto text =
        layer.count > 1 ? fmt::format("{} \u00d7 {}", layer.count, short_number(number)) : short_number(number);
    auto style = draw::plain_style(theme_);
    style.align = draw::Align::right;
    canvas_.text(text, right, style);
  }

  // The data leaves the main way in front of the parts since the last sum, and comes back behind them.
  void paint_sum(const Box& box, const Box& part, const Box* sum_before) {
    const double flow = flow_x(box), side = box.place.right() - inset - bracket_room / 2 + 2;
    const double from = sum_before ? sum_before->place.bottom() + sum_gap - 14 : box.place.y + row_height + 7;
    const double radius = 6.5, to = part.place.bottom() + 11;
    const auto style = line();
    if (part.on_shortcut) canvas_.line({flow, before(box, part).bottom()}, {flow, to - radius}, style);
    if (!sum_before) down(flow, box.place.y + row_height, first_of_way(box).y);
    const bool is_last = &part == &box.parts.back();
    canvas_.line({flow, to + radius}, {flow, part.place.bottom() + (is_last ? sum_gap : sum_gap - 8)}, style);
    if (part.on_shortcut) {
      const double above = part.place.x + part.place.width - 20;
      const std::array<Point, 3> in = {{{flow, from}, {side, from}, {side, part.place.y + row_height / 2}}};
      canvas_.line(in, style);
      canvas_.line({side, part.place.y + row_height / 2}, {part.place.right(), part.place.y + row_height / 2}, style);
      arrow_head(canvas_, {part.place.right() + 1, part.place.y + row_height / 2}, /*leftwards=*/true, style.color);
      const std::array<Point, 3> out = {{{above, part.place.bottom()}, {above, to}, {flow + radius, to}}};
      canvas_.line(out, style);
    } else {
      const std::array<Point, 4> way = {{{flow, from}, {side, from}, {side, to}, {flow + radius, to}}};
      canvas_.line(way, style);
    }
    arrow_head(canvas_, {flow + radius + 1, to}, /*leftwards=*/true, style.color);
    canvas_.circle({flow, from}, 2.2, style.color);
    canvas_.circle({flow, to}, radius, style.color);
    canvas_.circle({flow, to}, radius - 1.4, theme_.paper);
    canvas_.line({flow - 3, to}, {flow + 3, to}, style);
    canvas_.line({flow, to - 3}, {flow, to + 3}, style);
  }

  // Where the main way begins; parameters before it are painted over its line.
  static Rectangle first_of_way(const Box& box) {
    const auto first = std::ranges::find_if(box.parts, [](const Box& part) { return !part.is_parameter(); });
    return first == box.parts.end() ? box.place : first->place;
  }

  // The last part of the main way.
  static Rectangle before(const Box& box, const Box& shortcut) {
    Rectangle place = box.place;
    for (const auto& part : box.parts) {
      if (&part == &shortcut) break;
      place = part.place;
    }
    return place;
  }

  Canvas& canvas_;
  const draw::Theme theme_;
  double total_macs_;
};

void draw_column_heads(Canvas& canvas, double y) {
  auto style = draw::small_style(canvas.theme());
  double x = draw::margin + diagram_width + table_gap;
  canvas.text("gives back", {x, y}, style);
  style.align = draw::Align::right;
  x += shape_width + number_width;
  canvas.text("parameters", {x, y}, style);
  x += number_width;
  canvas.text("FLOP", {x, y}, style);
  style.align = draw::Align::left;
  canvas.text("share of FLOP", {x + 16, y}, style);
}

void collect_kinds(const GraphLayer& layer, std::vector<draw::LegendEntry>& entries) {
  const auto color = kind_colors().find(layer.kind);
  const bool known = std::ranges::count(entries, layer.kind, &draw::LegendEntry::name) > 0;
  if (color != kind_colors().end() && !known) entries.push_back({layer.kind, color->second});
  for (const auto& child : layer.children) collect_kinds(child, entries);
}

// All that is drawn, with its places; a drawing may be asked for more than once.
struct Sheet {
  GraphLayer network;
  GraphLayer input;
  draw::Head head;
  Box input_box, body;
  std::vector<draw::LegendEntry> legend;
  double top = 0, bottom = 0, height = 0;
};

std::string subtitle_of(const explain::Graph& graph) {
  const auto& network = graph.network;
  return fmt::format("{} parameters, {} (two for a multiply and add) for a picture of {}",
                     with_thousands(network.parameters), short_number(2 * network.macs, "FLOP"),
                     to_string(graph.input));
}

std::shared_ptr<Sheet> sheet_of(const explain::Graph& graph, const GraphDrawing& options) {
  auto sheet = std::make_shared<Sheet>();
  sheet->network = explain::cut_at(graph.network, options.depth);
  sheet->input = {.name = "picture", .kind = "", .shape = graph.input, .children = {}};
  sheet->input.shape.insert(sheet->input.shape.begin(), 1);
  sheet->head = {options.title, subtitle_of(graph)};
  collect_kinds(sheet->network, sheet->legend);
  auto ruler = draw::ruler();
  const double width = sheet_width - 2 * draw::margin;
  sheet->top = draw::margin + draw::head_height(ruler, sheet->head, width) + 18;
  sheet->body = box_of(sheet->network, 1);
  std::stable_partition(sheet->body.parts.begin(), sheet->body.parts.end(),
                        [](const Box& b) { return b.is_parameter(); });
  sheet->input_box.layer = &sheet->input;
  sheet->body.parts.insert(std::ranges::find_if(sheet->body.parts, [](const Box& b) { return !b.is_parameter(); }),
                           sheet->input_box);
  double below = sheet->top;
  for (auto& part : sheet->body.parts) below = lay_out(part, draw::margin, below, diagram_width) + gap;
  sheet->body.place = {draw::margin - inset, sheet->top, diagram_width, below - sheet->top};
  sheet->bottom = below + 4;
  sheet->height = sheet->bottom + draw::legend_height(ruler, sheet->legend, width) + draw::margin;
  return sheet;
}

void draw_sheet(Canvas& canvas, const Sheet& sheet) {
  const double width = sheet_width - 2 * draw::margin;
  draw::draw_head(canvas, sheet.head, {draw::margin, draw::margin}, width);
  draw_column_heads(canvas, sheet.top - 19);
  Painter painter(canvas, static_cast<double>(sheet.network.macs));
  painter.paint_flow(sheet.body);
  for (const auto& part : sheet.body.parts) painter.paint(part);
  draw::draw_legend(canvas, sheet.legend, {draw::margin, sheet.bottom}, width);
}

}  // namespace

std::string short_number(std::int64_t number, const std::string& unit) {
  constexpr std::array prefixes = {"", "k", "M", "G", "T"};
  double value = static_cast<double>(number);
  std::size_t power = 0;
  for (; value >= 999.5 && power + 1 < prefixes.size(); ++power) value /= 1000;
  const auto prefixed = prefixes[power] + unit, space = std::string(prefixed.empty() ? "" : " ");
  if (power == 0) return fmt::format("{}{}{}", number, space, prefixed);
  return fmt::format("{:.{}f}{}{}", value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, space, prefixed);
}

draw::Drawing graph_drawing(const explain::Graph& graph, const GraphDrawing& options) {
  const auto sheet = sheet_of(graph, options);
  if (sheet->height > most_height) {
    throw Error(ErrorKind::usage, fmt::format("--depth {}: expected what fits on a sheet, found {} layers; choose a "
                                              "smaller depth",
                                              options.depth, explain::layer_count(sheet->network)));
  }
  return {.width = sheet_width,
          .height = sheet->height,
          .draw = [sheet](Canvas& canvas) { draw_sheet(canvas, *sheet); },
          .theme = options.theme};
}

}  // namespace nunchi::cli
