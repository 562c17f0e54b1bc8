#include "cli/embedded.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "image/decode.h"
#include "image/resize.h"

namespace nunchi::cli {

Embedded embedded(const Options& options, const tasks::VisionModel& model, const Pictures& pictures,
                  tasks::EmbeddingKind kind) {
  Embedded all;
  std::vector<Tensor> parts;
  all.code = run_pictures(options, model, pictures, [&](const Step& step) {
    if (step.batch.indices.empty()) return;
    for (const auto index : step.batch.indices) all.files.push_back(step.paths[index].string());
    parts.push_back(tasks::embeddings(step.output, kind));
  });
  if (!parts.empty()) all.vectors = at::cat(parts, 0).contiguous();
  return all;
}

std::string folder_name(const std::string& file) {
  return std::filesystem::path(file).parent_path().filename().string();
}

image::Picture thumbnail(const Options& options, const std::string& file, int longest) {
  const auto picture = image::read_picture(file, decode_options(options));
  const double scale = std::min(1.0, static_cast<double>(longest) / std::max(picture.width, picture.height));
  const auto scaled = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
  return image::resize(picture, scaled(picture.width), scaled(picture.height));
}

std::string in_words(const metrics::Retrieval& retrieval, const PageWords& say) {
  return say("precision@1 {:.1f} %, precision@{} {:.1f} %, mAP {:.1f} % (folders as classes, {} queries)",
             100 * retrieval.precision_at_1, retrieval.k, 100 * retrieval.precision_at_k,
             100 * retrieval.mean_average_precision, with_thousands(retrieval.queries));
}

Json as_json(const metrics::Retrieval& retrieval) {
  return {{"queries", retrieval.queries},
          {"without_any", retrieval.without_any},
          {"precision_at_1", retrieval.precision_at_1},
          {"k", retrieval.k},
          {"precision_at_k", retrieval.precision_at_k},
          {"mean_average_precision", retrieval.mean_average_precision}};
}

}  // namespace nunchi::cli
