// tasks/published.h: compares a public checkpoint with the figures that its publisher's own tests expect of it.
//
//   const auto figures = published_figures();                       // those that are part of nunchi
//   const auto result = run_published(figures, "google/vit-base-patch16-224", "000000039769.png");
//   result.passed();
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "image/transform.h"
#include "tasks/parity.h"

namespace nunchi::tasks {

// The first values along each axis behind the index `at` of an output: at {0} with 3 x 3 values is [0, :3, :3].
struct Figure {
  std::string checkpoint, output;
  std::vector<std::int64_t> at;
  std::vector<std::int64_t> shape;  // of the values
  std::vector<float> values;
  double tolerance = 0;             // relative and absolute
  std::optional<image::Size> size;  // instead of the checkpoint's own
};

struct PublishedFigures {
  std::string source, image;  // the picture's name
  std::vector<Figure> figures;
};

PublishedFigures published_figures();

// The same from a file of one's own: {"source", "image", "figures": [{"checkpoint", "output", "at", "values",
// "tolerance", "size"}]}. Throws Error (input) where it is none.
PublishedFigures read_published_figures(const std::filesystem::path& file);

// One stage a figure. `checkpoint` may hold a revision; it is pulled where it is not in the cache. Throws Error (usage)
// where there is no figure of it, with the names of those that there are.
ParityResult run_published(const PublishedFigures& published, const std::string& checkpoint,
                           const std::filesystem::path& image, nn::Precision precision = nn::Precision::fp32,
                           at::Device device = at::kCPU);

}  // namespace nunchi::tasks
