#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/walked.h"
#include "draw/html_report.h"
#include "draw/words.h"
#include "image/crop.h"

namespace nunchi::cli {
namespace {

using draw::Canvas;
using draw::Point;
using draw::Rectangle;

constexpr double sheet_width = 1060, content_width = sheet_width - 2 * draw::margin;
constexpr double picture_height = 220, arrow_width = 46, section_gap = 22, caption_gap = 4;
constexpr double token_side = 26, token_gap = 4;
constexpr double largest_map = 124, largest_stage = 190, between_blocks = 22, answer_row = 22, strip_height = 22;

// The parts of a sheet, one below the other. Each is asked for its height before it is drawn.
class WalkSheet {
 public:
  WalkSheet(Canvas& canvas, const Walked& walked, const PageWords& say, bool draws)
      : canvas_(canvas), theme_(canvas.theme()), walked_(walked), say_(say), draws_(draws) {}

  // Returns the height of all.
  double paint() {
    y_ = draw::margin;
    head();
    pictures();
    if (walked_.embeddings) tokens();
    blocks();
    answer();
    return y_ + draw::margin - section_gap;
  }

 private:
  draw::TextStyle heading() const { return draw::heading_style(theme_); }
  draw::TextStyle quiet() const { return draw::small_style(theme_); }
  draw::Color accent() const { return draw::series_color(0); }

  void text(const std::string& words, const Point& at, const draw::TextStyle& style) {
    if (draws_) canvas_.text(words, at, style);
  }

  void fill(const Rectangle& place, const draw::Color& color, double corner = 0) {
    if (draws_) canvas_.fill(place, color, corner);
  }

  void picture(const image::Picture& shown, const Rectangle& place, draw::Scaling scaling = draw::Scaling::smooth) {
    if (!draws_) return;
    canvas_.picture(shown, place, scaling);
    canvas_.outline(place, {.color = theme_.grid_line});
  }

  void arrow(double x, double y, double width) {
    if (!draws_) return;
    const draw::LineStyle style = {.color = theme_.quiet_ink, .width = 1.6};
    canvas_.line({x, y}, {x + width, y}, style);
    const std::array<Point, 3> tip = {{{x + width - 5, y - 4}, {x + width, y}, {x + width - 5, y + 4}}};
    canvas_.line(tip, style);
  }

  // The name of a part and the shape that it gives.
  void title(const std::string& name, const std::string& shape) {
    const double width = canvas_.measure(name, heading()).width;
    text(name, {draw::margin, y_}, heading());
    text(shape, {draw::margin + width + 10, y_}, draw::within(draw::quiet_style(theme_), content_width - width - 10));
    y_ += 21;
  }

  void head() {
    const draw::Head words = {.title = say_("The way of {} through {}", walked_.names.picture, walked_.names.model),
                              .subtitle = say_("Every shape is that of a tensor that this run computed.")};
    y_ += draws_ ? draw::draw_head(canvas_, words, {draw::margin, draw::margin}, content_width)
                 : draw::head_height(canvas_, words, content_width);
  }

  // --- the picture, what is seen of it, and its patches

  Rectangle panel(double x, const image::Picture& shown, double width, const std::string& name,
                  const std::string& shape) {
    const auto size = draw::fitted(shown, {width, picture_height});
    const Rectangle place = {x, y_ + 36 + (picture_height - size.height) / 2, size.width, size.height};
    text(name, {x, y_}, draw::within(heading(), width));
    text(shape, {x, y_ + 16}, draw::within(quiet(), width));
    picture(shown, place);
    return place;
  }

  void pictures() {
    const bool is_cut = walked_.patches[0] > 0;
    constexpr int panels = 3;  // or room for as many
    const double most = (content_width - (panels - 1) * arrow_width) / panels;
    const auto& p = walked_.picture;
    const auto shape = say_("[{}, {}, {}]  height, width, channels", p.height, p.width, p.channels);
    auto place = panel(draw::margin, p, most, say_("picture"), shape);
    const double x = next_panel(place, shape);
    const auto pixels = fmt::format("pixel_values {}", to_string(walked_.pixels));
    place = panel(x, walked_.seen, most, say_("what the network sees"), pixels);
    if (is_cut) patches(next_panel(place, pixels));
    y_ += 36 + picture_height + section_gap;
  }

  // Where it begins: the words over the panel before need their room, too.
  double next_panel(const Rectangle& before, const std::string& words) {
    const double x = std::max(before.right() + arrow_width, before.x + canvas_.measure(words, quiet()).width + 16);
    arrow(before.right() + 8, y_ + 36 + picture_height / 2, x - before.right() - 16);
    return x;
  }

  void patches(double x) {
    const auto [rows, columns] = walked_.patches;
    const auto place = panel(x, walked_.seen, draw::margin + content_width - x, say_("cut into patches"),
                             say_("{} x {} = {} patches", rows, columns, rows * columns));
    if (!draws_) return;
    const draw::LineStyle line = {.color = draw::rgb(0xffffff, 0.9), .width = rows > 32 ? 0.4 : rows > 12 ? 0.8 : 1.2};
    for (std::int64_t i = 1; i < rows; ++i) {
      const double at = place.y + place.height * static_cast<double>(i) / static_cast<double>(rows);
      canvas_.line({place.x, at}, {place.right(), at}, line);
    }
    for (std::int64_t i = 1; i < columns; ++i) {
      const double at = place.x + place.width * static_cast<double>(i) / static_cast<double>(columns);
      canvas_.line({at, place.y}, {at, place.bottom()}, line);
    }
  }

  // --- the sequence of tokens

  image::Picture patch(std::int64_t index) const {
    const auto& seen = walked_.seen;
    const auto row = index / walked_.patches[1], column = index % walked_.patches[1];
    const auto edge = [](std::int64_t length, std::int64_t place, std::int64_t places) {
      return static_cast<int>(length * place / places);
    };
    const int left = edge(seen.width, column, walked_.patches[1]), top = edge(seen.height, row, walked_.patches[0]);
    const int right = std::max(edge(seen.width, column + 1, walked_.patches[1]), left + 1);
    const int bottom = std::max(edge(seen.height, row + 1, walked_.patches[0]), top + 1);
    return image::crop(seen, {.left = left, .top = top, .width = right - left, .height = bottom - top});
  }

  std::string tokens_in_words() const {
    const auto count = walked_.patches[0] * walked_.patches[1];
    std::string words;
    for (std::size_t i = 0; i < walked_.prefix.size();) {
      const auto same = std::ranges::count(walked_.prefix, walked_.prefix[i]);
      words += fmt::format("{} {} + ", same, walked_.prefix[i]);
      i += static_cast<std::size_t>(same);
    }
    return say_("{}{} patches, each a vector of {}", words, count, walked_.embeddings->shape.back());
  }

  void tokens() {
    title(say_("tokens"), fmt::format("embeddings {}   {}", to_string(walked_.embeddings->shape), tokens_in_words()));
    const auto count = walked_.patches[0] * walked_.patches[1];
    double x = draw::margin;
    for (std::size_t i = 0; i < walked_.prefix.size(); ++i) {
      const auto letter = walked_.prefix[i].substr(0, 1);
      const auto color = draw::series_color(letter == "c" ? 1 : letter == "d" ? 3 : 2);
      fill({x, y_, token_side, token_side}, color, 4);
      text(letter, {x + token_side / 2, y_ + 5.5},
           {.size = 12, .bold = true, .color = draw::readable_on(color), .align = draw::Align::center});
      x += token_side + token_gap;
    }
    if (!walked_.prefix.empty()) x += 8;
    const auto fitting = static_cast<std::int64_t>((draw::margin + content_width - x) / (token_side + token_gap));
    const bool all = count <= fitting;
    const auto first = all ? count : fitting - 4;
    for (std::int64_t i = 0; i < first; ++i, x += token_side + token_gap)
      if (draws_) picture(patch(i), {x, y_, token_side, token_side});
    if (!all) {
      text("\u2026", {x + token_side / 2, y_ + 5},
           {.size = 14, .color = theme_.quiet_ink, .align = draw::Align::center});
      x += token_side + token_gap;
      for (std::int64_t i = count - 3; i < count; ++i, x += token_side + token_gap)
        if (draws_) picture(patch(i), {x, y_, token_side, token_side});
    }
    y_ += token_side + section_gap;
  }

  // --- the blocks

  bool have_one_shape() const {
    return std::ranges::all_of(walked_.blocks,
                               [&](const WalkStep& b) { return b.shape == walked_.blocks.front().shape; });
  }

  // Smaller maps are drawn smaller, though not in proportion: 112 places are not sixteen times as high as 7.
  static draw::Size size_of_map(const WalkStep& step, double largest, double rows) {
    if (!step.map) return {largest, 34};
    const double side = std::max(step.map->rows, step.map->columns);
    const double share = std::max(0.3, (1 + std::log2(side)) / (1 + std::log2(rows)));
    const double scale = largest * share / side;
    return {scale * step.map->columns, scale * step.map->rows};
  }

  std::string blocks_in_words() const {
    const auto count = walked_.blocks.size();
    if (walked_.shrinks) return count == 1 ? say_("1 stage") : say_("{} stages", count);
    return count == 1 ? say_("1 encoder block") : say_("{} encoder blocks", count);
  }

  void block_head(bool one_shape) {
    std::string words = one_shape ? say_("each gives {}", to_string(walked_.blocks.front().shape)) : "";
    if (!walked_.attention.empty()) {
      if (!words.empty()) words += "   ";
      const auto shape = to_string(walked_.attention);
      words += walked_.shrinks ? say_("attention in the last block {}", shape) : say_("attention in each {}", shape);
    }
    title(blocks_in_words(), words);
  }

  // The largest side with which the widest row fits.
  double largest_in_row(std::size_t in_row, double rows) const {
    double widths = 0;
    for (std::size_t i = 0; i < in_row; ++i) widths += size_of_map(walked_.blocks[i], 1, rows).width;
    const double room = content_width - static_cast<double>(in_row - 1) * between_blocks;
    return std::min(walked_.shrinks ? largest_stage : largest_map, room / widths);
  }

  void blocks() {
    if (walked_.blocks.empty()) return;
    const bool one_shape = have_one_shape();
    block_head(one_shape);
    const auto count = walked_.blocks.size();
    const auto in_row = std::min<std::size_t>(count, walked_.shrinks ? 6 : 12);
    double rows = 1;
    for (const auto& step : walked_.blocks)
      if (step.map) rows = std::max<double>(rows, std::max(step.map->rows, step.map->columns));
    const double largest = largest_in_row(in_row, rows);
    for (std::size_t begin = 0; begin < count; begin += in_row)
      block_row(begin, std::min(count, begin + in_row), largest, rows, one_shape);
    text(say_("Colours: the mean over all channels at each place, dark low and bright high."), {draw::margin, y_},
         quiet());
    y_ += 16 + section_gap;
  }

  void block_row(std::size_t begin, std::size_t end, double largest, double rows, bool one_shape) {
    double height = 0, x = draw::margin;
    for (std::size_t i = begin; i < end; ++i)
      height = std::max(height, size_of_map(walked_.blocks[i], largest, rows).height);
    for (std::size_t i = begin; i < end; ++i) {
      const auto& step = walked_.blocks[i];
      const auto size = size_of_map(step, largest, rows);
      const double shape_width = one_shape ? 0 : canvas_.measure(to_string(step.shape), quiet()).width;
      const double width = std::max(size.width, shape_width);
      const Rectangle place = {x + (width - size.width) / 2, y_ + (height - size.height) / 2, size.width, size.height};
      block(step, place);
      auto centred = quiet();
      centred.align = draw::Align::center;
      text(step.name, {x + width / 2, y_ + height + caption_gap}, centred);
      if (!one_shape) text(to_string(step.shape), {x + width / 2, y_ + height + caption_gap + 14}, centred);
      if (i + 1 < end) {
        const double from = place.right(), next = x + width + between_blocks;
        const auto after = size_of_map(walked_.blocks[i + 1], largest, rows);
        const double after_width = std::max(
            after.width, one_shape ? 0 : canvas_.measure(to_string(walked_.blocks[i + 1].shape), quiet()).width);
        arrow(from + 4, y_ + height / 2, next + (after_width - after.width) / 2 - from - 8);
      }
      x += width + between_blocks;
    }
    y_ += height + caption_gap + (one_shape ? 20 : 34);
  }

  void block(const WalkStep& step, const Rectangle& place) {
    if (!draws_) return;
    if (!step.map) {
      canvas_.fill(place, theme_.grid_line, 4);
      return;
    }
    const int width = std::max(1, static_cast<int>(std::lround(place.width * canvas_.resolution())));
    const int height = std::max(1, static_cast<int>(std::lround(place.height * canvas_.resolution())));
    picture(draw::heat_picture(*step.map, width, height, {.patches = true}), place, draw::Scaling::pixels);
  }

  // --- the end

  void answer() {
    if (!walked_.last_hidden_state.empty()) title("last_hidden_state", to_string(walked_.last_hidden_state));
    if (walked_.pooled) {
      title(say_("pooled"),
            say_("{} {}   one vector for the whole picture", walked_.pooled->name, to_string(walked_.pooled->shape)));
      if (draws_)
        picture(draw::heat_picture(*walked_.pooled->map, static_cast<int>(content_width * canvas_.resolution()),
                                   static_cast<int>(strip_height * canvas_.resolution()), {.patches = true}),
                {draw::margin, y_, content_width, strip_height}, draw::Scaling::pixels);
      y_ += strip_height + section_gap;
    }
    if (!walked_.logits.empty()) title(say_("head"), fmt::format("logits {}", to_string(walked_.logits)));
    for (std::size_t i = 0; i < walked_.answers.size(); ++i) answer_bar(walked_.answers[i], i == 0);
    if (!walked_.answers.empty()) y_ += section_gap - 6;
  }

  void answer_bar(const tasks::Prediction& answer, bool best) {
    constexpr double name_width = 260, bar_width = content_width - name_width - 80;
    const auto style = best ? heading() : draw::plain_style(theme_);
    text(answer.label, {draw::margin, y_ + 2}, draw::within(style, name_width - 12));
    const Rectangle whole = {draw::margin + name_width, y_ + 3, bar_width, answer_row - 9};
    fill(whole, theme_.grid_line, 3);
    const double share = static_cast<double>(answer.probability);
    fill({whole.x, whole.y, std::max(2.0, bar_width * share), whole.height}, accent(), share > 0.01 ? 3 : 0);
    auto right = style;
    right.align = draw::Align::right;
    text(fmt::format("{:.1f} %", 100 * share), {draw::margin + content_width, y_ + 2}, right);
    y_ += answer_row;
  }

  Canvas& canvas_;
  const draw::Theme theme_;
  const Walked& walked_;
  const PageWords& say_;
  bool draws_;
  double y_ = 0;
};

draw::HtmlTable shapes_of(const Walked& walked, const PageWords& say) {
  draw::HtmlTable table{.head = {say("step"), say("shape")}, .rows = {}};
  const auto add = [&](const std::string& name, const Shape& shape) {
    if (!shape.empty()) table.rows.push_back({name, to_string(shape)});
  };
  add("pixel_values", walked.pixels);
  if (walked.embeddings) add(say("embeddings"), walked.embeddings->shape);
  for (const auto& block : walked.blocks) add(block.name, block.shape);
  add(say("attention, each block"), walked.attention);
  add("last_hidden_state", walked.last_hidden_state);
  if (walked.pooled) add(walked.pooled->name, walked.pooled->shape);
  add("logits", walked.logits);
  return table;
}

}  // namespace

draw::Drawing walk_drawing(const Walked& walked, const PageWords& say, const draw::Theme& theme) {
  auto ruler = draw::ruler();
  const double height = WalkSheet(ruler, walked, say, /*draws=*/false).paint();
  const auto kept = std::make_shared<Walked>(walked);
  return {.width = sheet_width,
          .height = height,
          .draw = [kept, say](Canvas& canvas) { WalkSheet(canvas, *kept, say, /*draws=*/true).paint(); },
          .theme = theme};
}

std::string walk_page(const std::vector<Walked>& pictures, const PageWords& say) {
  draw::HtmlReport page(say("The way of a picture through {}", pictures.front().names.model),
                        say("From pixels to the answer, with the shape of every tensor on the way."),
                        {.language = say.language()});
  for (const auto& walked : pictures) {
    page.heading(walked.names.picture);
    page.drawing(walk_drawing(walked, say),
                 say("{}, its patches or maps in each step, and the answer", walked.names.picture));
    page.details(say("All shapes"), [&] { page.table(shapes_of(walked, say)); });
  }
  return page.html();
}

}  // namespace nunchi::cli
