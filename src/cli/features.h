// cli/features.h: what the parts of `nunchi features` share: the pictures that are looked at, and what is found.
//
//   Gallery gallery(options, model, pictures);
//   Finding finding = show_pca(gallery);                 // what to draw, and the numbers
//   write_drawing("pca.png", drawing(finding.figure));
#pragma once

#include <map>

#include "cli/commands.h"
#include "cli/heat_map.h"
#include "cli/page_words.h"
#include "draw/figure.h"
#include "draw/html_explorer.h"
#include "draw/html_scatter.h"
#include "draw/line_chart.h"
#include "explain/patch_tokens.h"
#include "metrics/overlap.h"
#include "tasks/forward.h"

namespace nunchi::cli {

struct Finding {
  draw::Figure figure;
  std::vector<std::string> words = {};  // for the terminal: the key numbers, a line each
  Json summary = Json::object();        // the same for machines
  Json details = Json::object();        // the rest of the numbers, for the file only
  std::vector<tasks::NamedTensor> tensors = {};
  std::optional<draw::HtmlScatter> map = {};       // on a page in the figure's place
  std::vector<draw::HtmlExplorer> explorers = {};  // on a page below the figure
};

// The pictures, each as the network sees it. What is not asked for is not computed.
class Gallery {
 public:
  struct Item {
    std::string file;
    image::Picture seen;
    image::Box part;  // that is seen, in shares of the whole picture
    Tensor pixels;    // [1, 3, h, w]
  };

  // The options and the model must live as long.
  Gallery(const Options& options, const tasks::VisionModel& model, const Pictures& pictures);

  const Options& options() const { return options_; }
  const tasks::VisionModel& model() const { return model_; }
  const std::vector<std::filesystem::path>& paths() const { return pictures_.paths; }

  // All that can be read; the others are reported on standard error once. Throws Error (usage) where they are too many
  // to be kept, Error (input) where none can be read.
  const std::vector<Item>& items();
  // Of the model and a picture of this size [1, 3, h, w].
  const explain::Anatomy& anatomy(const Tensor& pixels) { return anatomies_.of(pixels); }
  // Of each item: the patch tokens of --layer, or of the whole network. Throws Error (usage) where there are fewer than
  // two patches.
  const std::vector<explain::PatchTokens>& patches();
  // The same of one layer; "" of the whole network. Computed once.
  const std::vector<explain::PatchTokens>& patches_of(const std::string& layer);
  std::int64_t failed() const { return failed_; }
  // Of a view that reads the pictures by itself.
  void count_failed(std::int64_t count) { failed_ = std::max(failed_, pictures_.failed + count); }

  std::int64_t k_or(std::int64_t fallback) const { return options_.k.value_or(fallback); }
  const PageWords& say() const { return say_; }

 private:
  Item open(const std::filesystem::path& path) const;
  explain::PatchTokens patches_of(const Item& item, const std::string& layer);

  const Options& options_;
  const tasks::VisionModel& model_;
  PageWords say_;
  Pictures pictures_;
  explain::Anatomies anatomies_;
  std::vector<Item> items_;
  std::map<std::string, std::vector<explain::PatchTokens>> patches_;  // by layer
  std::int64_t failed_ = 0;
};

// --- features_patches.cpp

Finding show_pca(Gallery& gallery);
Finding show_clusters(Gallery& gallery);
Finding show_spectral(Gallery& gallery);

// --- features_masks.cpp

// What people drew (--masks) of each picture, in the size in which it is seen; nothing of one without a mask. What
// cannot be read is reported; throws Error (input) where nothing is left.
std::vector<std::optional<draw::LabelMap>> masks_of(Gallery& gallery);

// For segments 0, 1, ...: each has the colour of the label that it is the best for, as class_color(); the others have
// colours of no label.
draw::LabelOptions colors_like(const std::vector<metrics::BestSegment>& best, std::int64_t segments);

Json as_json(const std::vector<metrics::BestSegment>& best);

// --- features_match.cpp

Finding show_similar(Gallery& gallery);
Finding show_match(Gallery& gallery);

// --- features_layers.cpp

Finding show_maps(Gallery& gallery);
Finding show_activations(Gallery& gallery);

// --- features_alignment.cpp

Finding show_cka(Gallery& gallery);

// --- features_depth.cpp

Finding show_drift(Gallery& gallery);
Finding show_lens(Gallery& gallery);

// --- features_weights.cpp

Finding show_positions(Gallery& gallery);
Finding show_filters(Gallery& gallery);
Finding show_weights(Gallery& gallery);

// --- features_embedding.cpp

Finding show_embedding(Gallery& gallery);

// --- shared by them

// How many pictures one figure shows; the numbers are of all.
constexpr std::size_t most_shown = 12;

// "16 x 16 patches"
std::string grid_in_words(const explain::PatchTokens& patches, const PageWords& say);

Json files_of(const std::vector<Gallery::Item>& items);

// "the first 12 of 40 pictures"; nothing where all are shown.
std::vector<std::string> note_of_shown(std::size_t count, const PageWords& say);

// "dinov2-small, 16 x 16 patches"
std::string about(const Gallery& gallery, const std::string& more);

bool is_page(const Options& options);  // -o names a .html file

// [h, w, 3] of any float type in 0 ... 1.
image::Picture picture_of(const Tensor& rgb);

// Tiles of one size in rows, a pixel of paper between them.
image::Picture mosaic(const std::vector<image::Picture>& tiles, int columns);

draw::Panel chart_panel(draw::LineChart chart);
draw::Panel drawn_panel(std::function<void(draw::Canvas&, const draw::Rectangle&)> chart, const std::string& note = "");

}  // namespace nunchi::cli
