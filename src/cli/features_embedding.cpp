// Many pictures as points in the plane.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "cli/embedded.h"
#include "cli/features.h"
#include "core/interrupt.h"
#include "draw/html_parts.h"
#include "explain/projection.h"
#include "image/encode.h"

namespace nunchi::cli {
namespace {

constexpr std::int64_t fewest_for_tsne = 12;
constexpr std::size_t most_thumbnails = 400, most_groups = 12, most_on_page = 3000;

Embedded embedded(Gallery& gallery) {
  auto all = cli::embedded(gallery.options(), gallery.model(), {.paths = gallery.paths()}, tasks::EmbeddingKind::cls);
  if (all.code == exit_interrupted) throw_if_stopped();
  if (all.files.empty()) throw Error(ErrorKind::input, "no picture could be read: there is nothing to show");
  gallery.count_failed(static_cast<std::int64_t>(gallery.paths().size() - all.files.size()));
  return all;
}

struct Plane {
  Tensor places;       // [n, 2]
  std::string method;  // as --method has it
  std::string words;   // in the reader's language
  Json numbers = Json::object();
};

// Neither t-SNE nor UMAP has anything to say about a handful.
std::string method_of(const Gallery& gallery, std::int64_t count) {
  if (!gallery.options().method.empty()) return gallery.options().method;
  return count < fewest_for_tsne ? "pca" : "tsne";
}

Plane plane_of(const Gallery& gallery, const Tensor& vectors) {
  const auto method = method_of(gallery, vectors.size(0));
  const auto seed = gallery.options().seed;
  const auto& say = gallery.say();
  if (method == "pca")
    return {.places = explain::pca_plane(vectors), .method = method, .words = say("first two principal components")};
  ProgressLine line(method, "steps", gallery.options().quiet);
  const Progress progress = [&](std::int64_t done, std::int64_t total) { line.show(done, total); };
  if (method == "umap")
    return {.places = explain::umap(vectors, {.seed = seed, .progress = progress}), .method = method, .words = "UMAP"};
  const auto found = explain::tsne(vectors, {.seed = seed, .progress = progress});
  return {.places = found.places,
          .method = method,
          .words = say("t-SNE, perplexity {:.0f}", found.perplexity),
          .numbers = {{"perplexity", found.perplexity}, {"divergence", found.divergence}}};
}

// The folders of the pictures, where there are some and not many: the classes of a dataset, mostly.
std::vector<std::string> groups_of(const std::vector<std::string>& files) {
  std::set<std::string> groups;
  for (const auto& file : files) groups.insert(folder_name(file));
  if (groups.size() < 2 || groups.size() > most_groups) return {};
  return {groups.begin(), groups.end()};
}

std::size_t group_of(const std::string& file, const std::vector<std::string>& groups) {
  return static_cast<std::size_t>(std::ranges::find(groups, folder_name(file)) - groups.begin());
}

// Each picture, or of many every so many, searched for among all others. Nothing where all lie in one folder.
std::optional<metrics::Retrieval> retrieval_of(const Embedded& all, std::int64_t k) {
  constexpr std::int64_t most_queries = 2000;
  std::vector<std::string> classes, of_queries;
  for (const auto& file : all.files) classes.push_back(folder_name(file));
  if (std::ranges::count(classes, classes.front()) == std::ssize(classes)) return std::nullopt;
  std::vector<std::int64_t> queries;
  const auto step = (std::ssize(classes) + most_queries - 1) / most_queries;
  for (std::int64_t i = 0; i < std::ssize(classes); i += step) {
    queries.push_back(i);
    of_queries.push_back(classes[static_cast<std::size_t>(i)]);
  }
  const Tensor chosen = all.vectors.slice(0, 0, all.vectors.size(0), step);
  return explain::retrieval({.queries = chosen, .database = all.vectors, .itself = queries}, of_queries, classes, k);
}

struct Dots {
  std::vector<draw::Point> places;  // 0 ... 1
  std::vector<draw::Color> colors;
  std::vector<image::Picture> thumbnails;  // none, or one for each
  double size = 6;                         // points
};

Dots dots_of(const Gallery& gallery, const Embedded& all, const Tensor& places,
             const std::vector<std::string>& groups) {
  const Tensor least = std::get<0>(places.min(0)), range = (std::get<0>(places.max(0)) - least).max().clamp_min(1e-12);
  const auto unit = ops::numbers_of<double>((places - least) / range);
  Dots dots;
  const bool pictures = all.files.size() <= most_thumbnails;
  if (pictures) dots.size = std::clamp(640 / std::sqrt(static_cast<double>(all.files.size())) * 0.55, 22.0, 84.0);
  for (std::size_t i = 0; i < all.files.size(); ++i) {
    throw_if_stopped();
    dots.places.push_back({unit[2 * i], 1 - unit[2 * i + 1]});
    dots.colors.push_back(groups.empty() ? draw::series_color(0) : draw::class_color(group_of(all.files[i], groups)));
    if (pictures)
      dots.thumbnails.push_back(thumbnail(gallery.options(), all.files[i], static_cast<int>(3 * dots.size)));
  }
  return dots;
}

void draw_dots(draw::Canvas& canvas, const Dots& dots, const draw::Rectangle& room) {
  const double side = std::min(room.width, room.height) - dots.size - 4;
  const double left = room.x + (room.width - side) / 2, top = room.y + (room.height - side) / 2;
  for (std::size_t i = 0; i < dots.places.size(); ++i) {
    const draw::Point middle = {left + dots.places[i].x * side, top + dots.places[i].y * side};
    if (dots.thumbnails.empty()) {
      canvas.circle(middle, dots.size / 2, dots.colors[i]);
      continue;
    }
    const auto size = draw::fitted(dots.thumbnails[i], {dots.size, dots.size});
    const draw::Rectangle place = {middle.x - size.width / 2, middle.y - size.height / 2, size.width, size.height};
    canvas.picture(dots.thumbnails[i], place);
    canvas.outline(place, {.color = dots.colors[i], .width = 1.5});
  }
}

using Neighbors = std::vector<std::vector<explain::Neighbor>>;  // of each picture, the nearest first

// The map that a reader looks around in; nothing where a page would be too slow for it.
std::optional<draw::HtmlScatter> page_map(const Gallery& gallery, const Embedded& all, const Plane& plane,
                                          const std::vector<std::string>& groups, const Neighbors& neighbors) {
  constexpr int thumbnail_side = 64;
  constexpr std::size_t most_neighbors = 6;
  if (all.files.size() > most_on_page) return std::nullopt;
  draw::HtmlScatter map{.description = gallery.say()("{} pictures, {}", all.files.size(), plane.words),
                        .groups = groups};
  const auto places = ops::numbers_of<double>(plane.places);
  for (std::size_t i = 0; i < all.files.size(); ++i) {
    throw_if_stopped();
    draw::HtmlPoint point{.x = places[2 * i], .y = places[2 * i + 1], .name = short_name(all.files[i])};
    if (!groups.empty()) point.group = group_of(all.files[i], groups);
    point.thumbnail =
        draw::data_uri(image::encode_jpeg(thumbnail(gallery.options(), all.files[i], thumbnail_side)), "image/jpeg");
    for (const auto& neighbor : std::span(neighbors[i]).first(std::min(most_neighbors, neighbors[i].size())))
      point.neighbours.push_back({static_cast<std::size_t>(neighbor.index), fmt::format("{:.2f}", neighbor.cosine)});
    map.points.push_back(std::move(point));
  }
  return map;
}

Json outliers_as_json(const Embedded& all, const std::vector<explain::Outlier>& outliers) {
  Json list = Json::array();
  for (const auto& outlier : outliers)
    list.push_back({{"file", all.files[static_cast<std::size_t>(outlier.index)]}, {"distance", outlier.distance}});
  return list;
}

Json duplicates_as_json(const Embedded& all, const std::vector<explain::Match>& pairs) {
  Json list = Json::array();
  for (const auto& pair : pairs)
    list.push_back(
        {{"files", {all.files[static_cast<std::size_t>(pair.from)], all.files[static_cast<std::size_t>(pair.to)]}},
         {"cosine", pair.cosine}});
  return list;
}

Json neighbors_as_json(const Embedded& all, const Neighbors& neighbors) {
  Json list = Json::array();
  for (std::size_t i = 0; i < neighbors.size(); ++i) {
    Json nearest = Json::array();
    for (const auto& neighbor : neighbors[i])
      nearest.push_back({{"file", all.files[static_cast<std::size_t>(neighbor.index)]}, {"cosine", neighbor.cosine}});
    list.push_back({{"file", all.files[i]}, {"nearest", nearest}});
  }
  return list;
}

std::vector<std::string> in_words(const Json& outliers, const Json& duplicates, const PageWords& say) {
  constexpr std::size_t most = 5;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(most, outliers.size()); ++i)
    words.push_back(say("outlier: {}, mean distance {:.3f}", outliers[i]["file"].get<std::string>(),
                        outliers[i]["distance"].get<double>()));
  for (std::size_t i = 0; i < std::min(most, duplicates.size()); ++i) {
    const auto& files = duplicates[i]["files"];
    words.push_back(say("nearly the same: {} and {}, cosine {:.4f}", files[0].get<std::string>(),
                        files[1].get<std::string>(), duplicates[i]["cosine"].get<double>()));
  }
  if (duplicates.size() > most)
    words.push_back(say("... and {} more pairs that are nearly the same", duplicates.size() - most));
  return words;
}

}  // namespace

Finding show_embedding(Gallery& gallery) {
  const auto& say = gallery.say();
  const auto all = embedded(gallery);
  const auto plane = plane_of(gallery, all.vectors);
  const auto groups = groups_of(all.files);
  Finding finding{.figure = {.title = say("{} pictures in the plane", all.files.size()),
                             .subtitle = about(gallery, plane.words),
                             .columns = 1,
                             .notes = {plane.method == "pca"
                                           ? say("Near each other: alike to the network.")
                                           : say("Near each other: alike to the network. Distances between groups, and "
                                                 "the axes, have no meaning in {}.",
                                                 plane.method == "umap" ? "UMAP" : "t-SNE")},
                             .panel_width = 760,
                             .panel_height = 720}};
  finding.figure.panels.push_back(
      drawn_panel([dots = dots_of(gallery, all, plane.places, groups)](
                      draw::Canvas& canvas, const draw::Rectangle& room) { draw_dots(canvas, dots, room); }));
  for (std::size_t i = 0; i < groups.size(); ++i)
    finding.figure.legend.push_back({groups[i], draw::class_color(i), draw::Mark::dot});
  const auto neighbors = explain::nearest_neighbors(all.vectors, gallery.k_or(10));
  const auto outliers = outliers_as_json(all, explain::outliers(neighbors));
  const auto duplicates = duplicates_as_json(all, explain::near_duplicates(all.vectors, gallery.options().duplicates));
  finding.words = in_words(outliers, duplicates, say);
  const auto found = retrieval_of(all, gallery.k_or(10));
  if (found && found->queries > 0) finding.words.insert(finding.words.begin(), in_words(*found, say));
  finding.summary = {
      {"picture_count", all.files.size()}, {"method", plane.method}, {"near_duplicates", duplicates.size()}};
  finding.summary.update(plane.numbers);
  if (found) finding.summary["retrieval"] = as_json(*found);
  finding.details = {{"pictures", all.files},
                     {"outliers", outliers},
                     {"duplicates", duplicates},
                     {"neighbors", neighbors_as_json(all, neighbors)}};
  if (is_page(gallery.options())) finding.map = page_map(gallery, all, plane, groups, neighbors);
  finding.tensors = {{"places", plane.places.contiguous()}, {"vectors", all.vectors.contiguous()}};
  return finding;
}

}  // namespace nunchi::cli
