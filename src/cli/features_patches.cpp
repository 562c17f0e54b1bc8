// Views of patch tokens: components and clusters.
#include <ATen/ops/one_hot.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/features.h"
#include "draw/line_chart.h"
#include "explain/clusters.h"
#include "explain/pca.h"
#include "explain/upsample.h"

namespace nunchi::cli {
namespace {

using draw::Panel;
using explain::PatchTokens;

std::size_t shown_of(const std::vector<PatchTokens>& patches) { return std::min(patches.size(), most_shown); }

std::string tensor_name(const char* what, std::size_t picture) { return fmt::format("{}_{}", what, picture); }

// --- pca

explain::PatchColors colors_of(const std::vector<PatchTokens>& patches, bool joint,
                               explain::PatchColors (*color)(const std::vector<PatchTokens>&)) {
  if (joint) return color(patches);
  explain::PatchColors all;
  for (const auto& picture : patches) {
    const auto one = color({picture});
    all.rgb.push_back(one.rgb.front());
    all.foreground.push_back(one.foreground.front());
    all.shares.insert(all.shares.end(), one.shares.begin(), one.shares.end());
  }
  return all;
}

Tensor on_grid(const Tensor& per_patch, nn::Grid grid) { return per_patch.reshape({grid[0], grid[1], -1}); }

Panel squares(const Tensor& rgb, nn::Grid grid) {
  return {.picture = picture_of(on_grid(rgb, grid)), .scaling = draw::Scaling::pixels};
}

Panel keeping_edges(const Tensor& rgb, nn::Grid grid, const image::Picture& seen) {
  const Tensor fine = explain::joint_bilateral_upsample(on_grid(rgb, grid).permute({2, 0, 1}), seen);
  return {.picture = picture_of(fine.permute({1, 2, 0}))};
}

// --- clusters

draw::LabelMap labels_of(const Tensor& assignment, nn::Grid grid) {
  return {.rows = static_cast<int>(grid[0]),
          .columns = static_cast<int>(grid[1]),
          .labels = ops::numbers_of<int>(assignment)};
}

// Of the clusters' maps at full size the largest.
draw::LabelMap fine_labels(const Tensor& assignment, std::int64_t clusters, nn::Grid grid, const image::Picture& seen) {
  const Tensor maps = on_grid(at::one_hot(assignment, clusters), grid).permute({2, 0, 1});
  const Tensor fine = explain::joint_bilateral_upsample(maps, seen).argmax(0);
  return labels_of(fine, {fine.size(0), fine.size(1)});
}

struct Segments {
  std::vector<Tensor> assignments;  // [n] for each picture
  std::vector<std::vector<std::int64_t>> sizes;
};

void add(Segments& segments, const explain::Clusters& clusters, const std::vector<PatchTokens>& pictures) {
  for (const Tensor& part : explain::parted(clusters.assignment, pictures)) segments.assignments.push_back(part);
  segments.sizes.push_back(clusters.sizes);
}

std::int64_t most_clusters(const Segments& segments) {
  std::size_t most = 0;
  for (const auto& sizes : segments.sizes) most = std::max(most, sizes.size());
  return static_cast<std::int64_t>(most);
}

// One picture's row: it, what people drew, its patches, and these with the picture's edges.
struct Segmented {
  const Gallery::Item& item;
  const std::optional<draw::LabelMap>& mask;
  draw::LabelMap coarse, fine;
  std::vector<metrics::BestSegment> best;  // of the mask's labels
  draw::LabelOptions colors;
};

void add_row(draw::Figure& figure, const Segmented& row, bool with_masks, const PageWords& say) {
  const auto& seen = row.item.seen;
  figure.panels.push_back({.note = short_name(row.item.file), .picture = seen});
  if (row.mask)
    figure.panels.push_back({.picture = seen, .labels = row.mask});
  else if (with_masks)
    figure.panels.push_back({});
  figure.panels.push_back({.picture = seen, .labels = row.coarse, .label_options = row.colors});
  Panel last{.picture = seen, .labels = row.fine, .label_options = row.colors};
  last.label_options.outline = 1;
  if (row.mask) last.note = say("mean IoU {:.2f}", metrics::mean_iou(row.best));
  figure.panels.push_back(std::move(last));
}

// Of all pictures with a mask.
void add_overlap(Finding& finding, const std::vector<double>& means, const PageWords& say) {
  if (means.empty()) return;
  double sum = 0;
  for (const double mean : means) sum += mean;
  finding.summary["mean_iou"] = sum / static_cast<double>(means.size());
  finding.words.push_back(say("mean IoU {:.3f} over {} masks: each label with the segment that lies on it best",
                              finding.summary["mean_iou"].get<double>(), means.size()));
}

Finding segmented(Gallery& gallery, const Segments& segments) {
  const auto& items = gallery.items();
  const auto& patches = gallery.patches();
  const auto clusters = most_clusters(segments);
  const auto& say = gallery.say();
  const bool with_masks = !gallery.options().masks.empty();
  const auto masks = masks_of(gallery);
  Finding finding{.figure = {.column_headings = {say("picture")}}};
  auto& headings = finding.figure.column_headings;
  if (with_masks) headings.push_back(say("drawn by people"));
  headings.insert(headings.end(), {say("clusters of patches"), say("with the picture's edges")});
  finding.figure.columns = headings.size();
  std::vector<double> means;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& assignment = segments.assignments[i];
    finding.tensors.push_back({tensor_name("clusters", i), assignment.view({patches[i].grid[0], patches[i].grid[1]})});
    const auto& mask = masks[i];
    if (i >= most_shown && !mask) continue;
    Segmented row{.item = items[i],
                  .mask = mask,
                  .coarse = labels_of(assignment, patches[i].grid),
                  .fine = fine_labels(assignment, clusters, patches[i].grid, items[i].seen)};
    if (mask) {
      row.best = metrics::best_segments(mask->labels, row.fine.labels);
      row.colors = colors_like(row.best, clusters);
      means.push_back(metrics::mean_iou(row.best));
      finding.details["overlap"].push_back({{"file", items[i].file}, {"labels", as_json(row.best)}});
    }
    if (i < most_shown) add_row(finding.figure, row, with_masks, say);
  }
  finding.figure.notes = note_of_shown(items.size(), say);
  finding.summary = {{"pictures", files_of(items)},
                     {"clusters", clusters},
                     {"joint", gallery.options().joint},
                     {"seed", gallery.options().seed}};
  finding.details["sizes"] = segments.sizes;
  add_overlap(finding, means, say);
  return finding;
}

// Of all pictures at once, or of one after another.
std::vector<std::vector<PatchTokens>> groups_of(Gallery& gallery) {
  if (gallery.options().joint) return {gallery.patches()};
  std::vector<std::vector<PatchTokens>> groups;
  for (const auto& picture : gallery.patches()) groups.push_back({picture});
  return groups;
}

std::int64_t clusters_of(const Gallery& gallery, const Tensor& rows) {
  const auto k = gallery.options().k;
  if (k && *k > rows.size(0))
    throw Error(ErrorKind::usage,
                fmt::format("--k {}: expected no more clusters than the {} patches", *k, rows.size(0)));
  return k.value_or(std::min<std::int64_t>(6, rows.size(0)));
}

std::string together(const Gallery& gallery) {
  const auto& say = gallery.say();
  return gallery.options().joint ? say("all pictures together") : say("each picture for itself");
}

Panel eigenvalue_panel(const explain::SpectralClusters& found, const PageWords& say) {
  draw::LineChart chart{.x = {.title = say("number"), .whole_numbers = true},
                        .y = {.title = say("eigenvalue"), .least = 0}};
  draw::Series series{.name = "", .x = {}, .y = {}, .joined = false};
  for (std::size_t i = 0; i < found.eigenvalues.size(); ++i) {
    series.x.push_back(static_cast<double>(i + 1));
    series.y.push_back(found.eigenvalues[i]);
  }
  chart.series.push_back(std::move(series));
  Panel panel = chart_panel(std::move(chart));
  panel.note = say("the largest gap is behind {}", found.suggested);
  return panel;
}

// The charts stand behind the panels of the first picture of each group.
void add_eigenvalues(draw::Figure& figure, const std::vector<explain::SpectralClusters>& found, const PageWords& say) {
  std::vector<Panel> panels;
  for (std::size_t row = 0; figure.columns * row < figure.panels.size(); ++row) {
    for (std::size_t i = 0; i < figure.columns; ++i)
      panels.push_back(std::move(figure.panels[figure.columns * row + i]));
    panels.push_back(row < found.size() ? eigenvalue_panel(found[row], say) : Panel{});
  }
  figure.panels = std::move(panels);
  ++figure.columns;
  figure.column_headings.push_back(say("eigenvalues of the Laplacian"));
}

}  // namespace

Finding show_pca(Gallery& gallery) {
  const auto& say = gallery.say();
  const auto& items = gallery.items();
  const auto& patches = gallery.patches();
  const bool joint = gallery.options().joint;
  const auto all = colors_of(patches, joint, explain::pca_colors_of_all);
  const auto object = colors_of(patches, joint, explain::pca_colors);
  Finding finding{.figure = {.title = say("Principal components of the patches"),
                             .subtitle = about(gallery, grid_in_words(patches.front(), say) + "; " + together(gallery)),
                             .columns = 4,
                             .column_headings = {say("picture"), say("all patches"), say("foreground"),
                                                 say("with the picture's edges")}}};
  Json shares = Json::array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto grid = patches[i].grid;
    shares.push_back(object.foreground[i].to(at::kDouble).mean().item<double>());
    finding.tensors.push_back({tensor_name("rgb", i), on_grid(all.rgb[i], grid).contiguous()});
    finding.tensors.push_back({tensor_name("foreground_rgb", i), on_grid(object.rgb[i], grid).contiguous()});
    if (i >= most_shown) continue;
    finding.figure.panels.push_back({.note = short_name(items[i].file), .picture = items[i].seen});
    finding.figure.panels.push_back(squares(all.rgb[i], grid));
    finding.figure.panels.push_back(squares(object.rgb[i], grid));
    finding.figure.panels.push_back(keeping_edges(object.rgb[i], grid, items[i].seen));
  }
  finding.figure.notes = note_of_shown(items.size(), say);
  finding.summary = {{"pictures", files_of(items)}, {"joint", joint}, {"foreground_share", shares}};
  finding.details = {{"variance_shares", all.shares}, {"foreground_variance_shares", object.shares}};
  for (std::size_t i = 0; i < shown_of(patches); ++i)
    finding.words.push_back(
        say("{}: foreground {:.0f} % of the patches", short_name(items[i].file), 100 * shares[i].get<double>()));
  return finding;
}

Finding show_clusters(Gallery& gallery) {
  const auto& say = gallery.say();
  Segments segments;
  Json inertia = Json::array();
  for (const auto& group : groups_of(gallery)) {
    const Tensor rows = explain::joined_rows(group);
    const auto clusters =
        explain::k_means(rows, {.clusters = clusters_of(gallery, rows), .seed = gallery.options().seed});
    add(segments, clusters, group);
    inertia.push_back(clusters.inertia.back());
  }
  Finding finding = segmented(gallery, segments);
  finding.figure.title = say("{} clusters of the patches (k-means)", most_clusters(segments));
  finding.figure.subtitle = about(gallery, together(gallery));
  finding.details["inertia"] = inertia;
  return finding;
}

Finding show_spectral(Gallery& gallery) {
  const auto& say = gallery.say();
  Segments segments;
  std::vector<explain::SpectralClusters> found;
  Json suggested = Json::array(), eigenvalues = Json::array();
  for (const auto& group : groups_of(gallery)) {
    const Tensor rows = explain::joined_rows(group);
    found.push_back(
        explain::spectral_clusters(rows, {.clusters = clusters_of(gallery, rows), .seed = gallery.options().seed}));
    add(segments, found.back().clusters, group);
    suggested.push_back(found.back().suggested);
    eigenvalues.push_back(found.back().eigenvalues);
  }
  Finding finding = segmented(gallery, segments);
  add_eigenvalues(finding.figure, found, say);
  finding.figure.title = say("{} clusters of the patches (spectral)", most_clusters(segments));
  finding.figure.subtitle = about(gallery, together(gallery));
  finding.summary["suggested"] = suggested;
  finding.details["eigenvalues"] = eigenvalues;
  return finding;
}

}  // namespace nunchi::cli
