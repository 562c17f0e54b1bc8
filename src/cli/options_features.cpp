// The option table of features.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

struct View {
  const char* name;
  bool of_pictures;  // otherwise of the weights alone
};
constexpr std::array views{
    View{"pca", true},      View{"clusters", true},    View{"spectral", true},  View{"similar", true},
    View{"match", true},    View{"maps", true},        View{"drift", true},     View{"lens", true},
    View{"cka", true},      View{"activations", true}, View{"embedding", true}, View{"positions", false},
    View{"filters", false}, View{"weights", false},
};

constexpr const char* features_footer =
    "Of every picture:\n"
    "  pca          patch tokens in three colours, with and without background (DINOv2); --joint: of all pictures\n"
    "               together, so that the same part has the same colour\n"
    "  clusters     k-means of the patch tokens (--k, --seed; --joint: co-segmentation)\n"
    "  spectral     spectral clustering of them, and how many clusters the eigenvalues speak for\n"
    "  similar      how alike every patch is to --patch ROW,COLUMN of the first picture\n"
    "  match        patches of the first picture and of each other one that are each other's nearest\n"
    "  maps         the channels of --layer that vary most\n"
    "  drift, lens  how the class token moves, and what the head would answer, after every block\n"
    "Over all pictures:\n"
    "  cka          how alike what the layers give is, in one model or between it and --with MODEL\n"
    "  activations  mean, deviation, extremes, dead units and outlier channels of every layer\n"
    "  embedding    all pictures as points in the plane; outliers and near duplicates\n"
    "Of the weights, without pictures:\n"
    "  positions    how alike the position embeddings are\n"
    "  filters      the kernels of the first layer\n"
    "  weights      histograms of all weights\n"
    "Beside each picture lie its numbers, as .json and .safetensors.\n"
    "Examples:\n"
    "  nunchi features facebook/dinov2-small cats/ --show pca,match --joint -o cats.html\n"
    "  nunchi features photo.jpg --show similar --patch 3,5 -o like.png";

const View* view_named(const std::string& name) {
  const auto found = std::ranges::find_if(views, [&](const View& view) { return view.name == name; });
  return found == views.end() ? nullptr : &*found;
}

std::string check_view(const std::string& name) {
  if (view_named(name) != nullptr) return "";
  std::vector<std::string> names;
  for (const auto& view : views) names.emplace_back(view.name);
  return fmt::format("{}: not known; known are {}", name, fmt::join(names, ", "));
}

PatchPlace parse_patch(const std::string& text) {
  PatchPlace place;
  const char* end = text.data() + text.size();
  const auto row = std::from_chars(text.data(), end, place.row);
  const bool separated = row.ec == std::errc() && row.ptr != end && *row.ptr == ',';
  const auto column = separated ? std::from_chars(row.ptr + 1, end, place.column) : row;
  if (!separated || column.ec != std::errc() || column.ptr != end || place.row < 0 || place.column < 0)
    throw CLI::ValidationError("--patch", text + ": expected ROW,COLUMN of the grid of patches, such as 3,5");
  return place;
}

bool is_one_drawing(const std::string& out) { return out.ends_with(".png") || out.ends_with(".svg"); }

}  // namespace

void add_features(CLI::App& app, Options& o) {
  auto* command = add(app, o, "features", "what a model sees in pictures: its tokens, layers and weights, drawn");
  add_model(*command, o, Devices::all);
  add_inputs(*command, o, "MODEL INPUT...");
  add_size(*command, o);
  add_language(*command, o);
  add_dark(*command, o);
  command->add_option("--show", o.show, "what to draw, one or several, separated by commas")
      ->delimiter(',')
      ->check(CLI::Validator(check_view, ""))
      ->capture_default_str();
  command
      ->add_option("--k", o.k,
                   "how many: clusters (default: 6), matches (20), channels (16), neighbours (10), answers (5)")
      ->check(CLI::Range(1, 100'000));
  command->add_option_function<std::string>(
      "--patch", [&o](const std::string& text) { o.patch = parse_patch(text); },
      "ROW,COLUMN of the patch to compare with, from 0 (default: the middle)");
  command
      ->add_option("--layer", o.layers_shown,
                   "the layer whose values are shown, by its name (default: the last); of maps several, separated by "
                   "commas")
      ->delimiter(',');
  command->add_option("--with", o.other_model, "cka: the model to compare with")->type_name("MODEL");
  command
      ->add_option(
          "--masks", o.masks,
          "clusters, spectral: a folder of masks that people drew (of the pictures' names, .png or .bmp): shown "
          "beside, and measured by intersection over union")
      ->type_name("FOLDER");
  command->add_flag("--joint", o.joint, "all pictures together: the same colour for the same part");
  command->add_option("--seed", o.seed, "of clusters, t-SNE and UMAP")->capture_default_str();
  command
      ->add_option("--method", o.method, "embedding: tsne, umap or pca (default: tsne, of less than 12 pictures pca)")
      ->check(one_of({"tsne", "umap", "pca"}, "tsne, umap and pca"));
  command->add_option("--duplicates", o.duplicates, "embedding: the cosine from which two pictures count as the same")
      ->check(CLI::Range(-1.0, 1.0))
      ->capture_default_str();
  command->add_flag("--json", o.json, "a JSON line for each thing shown: the files, and the key numbers");
  command->add_option(
      "-o,--out", o.out,
      "a folder to write into (default: nunchi-features), FILE.html or FILE.pdf for all in one, or .png or "
      ".svg for one thing shown");
  command->footer(features_footer);
}

void check_features(const Options& options) {
  const auto shows = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(options.show,
                               [&](const std::string& view) { return std::ranges::count(names, view) > 0; });
  };
  const auto require = [&](bool given, const char* option, std::initializer_list<std::string_view> names) {
    if (!given || shows(names)) return;
    throw CLI::ValidationError(option, fmt::format("expected with --show {}, found --show {}", fmt::join(names, " or "),
                                                   fmt::join(options.show, ",")));
  };
  require(!options.other_model.empty(), "--with", {"cka"});
  require(options.patch.has_value(), "--patch", {"similar"});
  require(!options.method.empty(), "--method", {"embedding"});
  require(!options.masks.empty(), "--masks", {"clusters", "spectral"});
  require(options.joint, "--joint", {"pca", "clusters", "spectral"});
  if (options.layers_shown.size() > 1 && options.show != std::vector<std::string>{"maps"})
    throw CLI::ValidationError("--layer", "several layers are shown by --show maps alone; name one");
  if (is_one_drawing(options.out) && options.show.size() > 1) {
    throw CLI::ValidationError(
        "-o", fmt::format("{}: expected a folder, a .html or a .pdf file for {} things to show, found the "
                          "name of one drawing",
                          options.out, options.show.size()));
  }
  for (const auto& name : options.show) {
    if (!options.inputs.empty() || !view_named(name)->of_pictures) continue;
    throw CLI::ValidationError("INPUT", fmt::format("--show {}: no pictures are named: nunchi features MODEL INPUT...; "
                                                    "positions, filters and weights need none",
                                                    name));
  }
}

}  // namespace nunchi::cli
