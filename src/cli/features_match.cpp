// Views of which patch is like which, inside a picture and between two.
#include <ATen/ops/full.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/features.h"
#include "explain/correspondence.h"

namespace nunchi::cli {
namespace {

using draw::Panel;
using explain::Match;
using explain::PatchTokens;

std::int64_t chosen_patch(const Gallery& gallery, nn::Grid grid) {
  const auto place = gallery.options().patch.value_or(PatchPlace{grid[0] / 2, grid[1] / 2});
  return explain::patch_index(grid, place.row, place.column);
}

Json place_as_json(std::int64_t patch, nn::Grid grid) { return {patch / grid[1], patch % grid[1]}; }

// --- on the canvas

draw::Rectangle place_of(std::int64_t patch, nn::Grid grid, const draw::Rectangle& picture) {
  const double width = picture.width / static_cast<double>(grid[1]);
  const double height = picture.height / static_cast<double>(grid[0]);
  const auto row = patch / grid[1], column = patch % grid[1];
  return {picture.x + static_cast<double>(column) * width, picture.y + static_cast<double>(row) * height, width,
          height};
}

draw::Point middle_of(const draw::Rectangle& place) { return {place.x + place.width / 2, place.y + place.height / 2}; }

// The picture in the middle of its room, and where that is.
draw::Rectangle draw_fitted(draw::Canvas& canvas, const image::Picture& picture, const draw::Rectangle& room) {
  const auto size = draw::fitted(picture, {room.width, room.height});
  const draw::Rectangle place = {room.x + (room.width - size.width) / 2, room.y + (room.height - size.height) / 2,
                                 size.width, size.height};
  canvas.picture(picture, place);
  return place;
}

Panel marked(const image::Picture& seen, std::int64_t patch, nn::Grid grid, const PageWords& say) {
  const auto on_canvas = [&seen, patch, grid](draw::Canvas& canvas, const draw::Rectangle& room) {
    const auto place = place_of(patch, grid, draw_fitted(canvas, seen, room));
    canvas.outline(place, {.color = draw::paper, .width = 4});
    canvas.outline(place, {.color = draw::rgb(0xd55e00), .width = 2});
  };
  return drawn_panel(on_canvas, say("patch {},{}", patch / grid[1], patch % grid[1]));
}

struct Pair {
  const Gallery::Item &first, &second;
  nn::Grid first_grid, second_grid;
  std::vector<Match> matches;  // the most alike first
};

void draw_matches(draw::Canvas& canvas, const Pair& pair, const draw::Rectangle& room) {
  constexpr double gap = 16;
  const double half = (room.width - gap) / 2;
  const auto left = draw_fitted(canvas, pair.first.seen, {room.x, room.y, half, room.height});
  const auto right = draw_fitted(canvas, pair.second.seen, {room.x + half + gap, room.y, half, room.height});
  for (std::size_t i = 0; i < pair.matches.size(); ++i) {
    const auto from = middle_of(place_of(pair.matches[i].from, pair.first_grid, left));
    const auto to = middle_of(place_of(pair.matches[i].to, pair.second_grid, right));
    canvas.line(from, to, {.color = draw::paper, .width = 2.5});
    canvas.line(from, to, {.color = draw::series_color(i), .width = 1.2});
    for (const auto& end : {from, to}) {
      canvas.circle(end, 4, draw::paper);
      canvas.circle(end, 3, draw::series_color(i));
    }
  }
}

// --- the numbers

struct Best {
  std::int64_t patch;
  double cosine;
};

// Of the picture's own patches the one that is asked about is no news.
Best best_of(Tensor cosines, std::optional<std::int64_t> asked) {
  if (asked) cosines = cosines.index_fill(0, at::full({1}, *asked, at::kLong), -2);
  const auto patch = cosines.argmax().item<std::int64_t>();
  return {patch, cosines[patch].item<double>()};
}

void add_similar(Finding& finding, const Gallery::Item& item, const PatchTokens& patches, const Tensor& token,
                 std::optional<std::int64_t> asked, const PageWords& say) {
  const Tensor cosines = explain::patch_cosines(token, patches.values[0])[0];
  const auto best = best_of(cosines, asked);
  const auto index = finding.tensors.size();
  const auto grid = patches.grid;
  finding.tensors.push_back({fmt::format("cosine_{}", index), cosines.view({grid[0], grid[1]})});
  finding.summary["best"].push_back(
      {{"file", item.file}, {"patch", place_as_json(best.patch, grid)}, {"cosine", best.cosine}});
  if (index >= most_shown) return;
  finding.figure.panels.push_back(
      {.note = short_name(item.file), .picture = item.seen, .heat = heat_of(finding.tensors.back().value)});
  finding.words.push_back(say("{}: the most alike is {},{} with {:.3f}", short_name(item.file), best.patch / grid[1],
                              best.patch % grid[1], best.cosine));
}

// On a page: a click chooses the patch. Nothing of a grid so fine that the page would be too large.
void add_explorer(Finding& finding, const Gallery::Item& item, const PatchTokens& patches, const PageWords& say) {
  constexpr std::int64_t most_clickable = 1600;
  constexpr std::size_t most_explorers = 4;
  if (patches.count() > most_clickable || finding.explorers.size() >= most_explorers) return;
  const Tensor cosines = explain::patch_cosines(patches.values[0], patches.values[0]);
  const auto middle = explain::patch_index(patches.grid, patches.grid[0] / 2, patches.grid[1] / 2);
  auto maps = ops::numbers_of<float>(cosines[middle]);
  const auto others = ops::numbers_of<float>(cosines);
  maps.insert(maps.end(), others.begin(), others.end());
  finding.explorers.push_back({.title = say("What is like a patch: choose one"),
                               .picture = item.seen,
                               .description = short_name(item.file),
                               .rows = static_cast<int>(patches.grid[0]),
                               .columns = static_cast<int>(patches.grid[1]),
                               .maps = {std::move(maps)}});
}

double mean_cosine(const std::vector<Match>& matches) {
  double sum = 0;
  for (const auto& match : matches) sum += match.cosine;
  return sum / std::max(1.0, static_cast<double>(matches.size()));
}

Json matches_as_json(const Pair& pair) {
  Json list = Json::array();
  for (const auto& match : pair.matches) {
    list.push_back({{"from", place_as_json(match.from, pair.first_grid)},
                    {"to", place_as_json(match.to, pair.second_grid)},
                    {"cosine", match.cosine}});
  }
  return list;
}

void add_pair(Finding& finding, Pair pair, std::int64_t most, const PageWords& say) {
  const auto count = pair.matches.size();
  finding.details["matches"].push_back(matches_as_json(pair));
  pair.matches.resize(std::min(count, static_cast<std::size_t>(most)));
  const double mean = mean_cosine(pair.matches);
  finding.summary["pairs"].push_back(
      {{"files", {pair.first.file, pair.second.file}}, {"matches", count}, {"mean_cosine", mean}});
  finding.words.push_back(say("{} and {}: {} patches are each other's nearest; mean cosine of the best {}: {:.3f}",
                              short_name(pair.first.file), short_name(pair.second.file), count, pair.matches.size(),
                              mean));
  if (finding.figure.panels.size() >= most_shown) return;
  const auto on_canvas = [pair](draw::Canvas& canvas, const draw::Rectangle& room) {
    draw_matches(canvas, pair, room);
  };
  finding.figure.panels.push_back(drawn_panel(on_canvas, finding.words.back()));
}

}  // namespace

Finding show_similar(Gallery& gallery) {
  const auto& say = gallery.say();
  const auto& items = gallery.items();
  const auto& patches = gallery.patches();
  const auto grid = patches.front().grid;
  const auto chosen = chosen_patch(gallery, grid);
  const Tensor token = patches.front().values[0].slice(0, chosen, chosen + 1);
  Finding finding{.figure = {.title = say("Patches that are like one patch"),
                             .subtitle = about(gallery, grid_in_words(patches.front(), say)),
                             .columns = std::min<std::size_t>(4, 1 + items.size()),
                             .color_bars = draw::ColorBars::shared,
                             .color_bar_title = say("cosine"),
                             .notes = note_of_shown(items.size(), say)}};
  finding.summary = {{"patch", place_as_json(chosen, grid)}, {"best", Json::array()}};
  finding.figure.panels.push_back(marked(items.front().seen, chosen, grid, say));
  for (std::size_t i = 0; i < items.size(); ++i)
    add_similar(finding, items[i], patches[i], token, i == 0 ? std::optional(chosen) : std::nullopt, say);
  if (is_page(gallery.options()))
    for (std::size_t i = 0; i < items.size(); ++i) add_explorer(finding, items[i], patches[i], say);
  return finding;
}

Finding show_match(Gallery& gallery) {
  const auto& say = gallery.say();
  const auto& items = gallery.items();
  const auto& patches = gallery.patches();
  if (items.size() < 2) {
    throw Error(ErrorKind::usage,
                "--show match: expected two pictures or more, found one; --show similar looks inside one");
  }
  Finding finding{.figure = {.title = say("Patches that are each other's nearest"),
                             .subtitle = about(gallery, grid_in_words(patches.front(), say)),
                             .columns = 1,
                             .notes = note_of_shown(items.size() - 1, say),
                             .panel_width = 620,
                             .panel_height = 310}};
  finding.summary["pairs"] = finding.details["matches"] = Json::array();
  for (std::size_t i = 1; i < items.size(); ++i) {
    add_pair(finding,
             {.first = items[0],
              .second = items[i],
              .first_grid = patches[0].grid,
              .second_grid = patches[i].grid,
              .matches = explain::mutual_nearest(explain::patch_cosines(patches[0].values[0], patches[i].values[0]))},
             gallery.k_or(20), say);
  }
  return finding;
}

}  // namespace nunchi::cli
