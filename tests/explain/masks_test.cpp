// What networks look at and how they part a picture, against what people drew: photos with masks.
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "data/label_mask.h"
#include "explain/clusters.h"
#include "explain/small_models.h"
#include "image/decode.h"
#include "image/resize.h"
#include "metrics/overlap.h"
#include "nn/watch.h"
#include "ops/numbers.h"
#include "tasks/cases.h"

namespace nunchi::explain {
namespace {

constexpr int side = 112;  // of masks and maps when they are compared

struct Photo {
  std::string name;
  image::Picture picture;
  std::vector<int> truth;  // [side, side]
};

// Squares: whatever the transform crops, the whole picture is seen.
std::vector<Photo> photos() {
  std::vector<Photo> all;
  for (const char* name : {"bird", "cityscapes", "dog"}) {
    const auto file = shared_data("photos") / (std::string(name) + "_segmentation.bmp");
    const auto mask = data::read_label_mask(shared_data("photos") / (std::string(name) + "_segmentation_mask.bmp"));
    Photo photo{.name = name, .picture = image::read_picture(file), .truth = {}};
    for (int i = 0; i < side * side; ++i)
      photo.truth.push_back(mask.at((i % side + 0.5) / side, (i / side + 0.5) / side));
    all.push_back(std::move(photo));
  }
  return all;
}

Tensor rows_of(const image::Picture& picture) {  // [side * side, 3]
  const auto small = image::resize(picture, side, side);
  const Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(small.pixels.data()), {side * side, 3}, at::kByte);
  return bytes.to(at::kFloat);
}

double overlap(const Photo& photo, const Tensor& assignment) {
  return metrics::mean_iou(metrics::best_segments(photo.truth, ops::numbers_of<int>(assignment)));
}

// R139: k-means of patch tokens parts a photo more as people do than k-means of colours, the baseline.
TEST(Masks, ClustersOfTokensAreNearerToPeopleThanThoseOfColours) {
  SKIP_WITHOUT_SHARED("photos/dog_segmentation_mask.bmp");
  SKIP_WITHOUT_SHARED("mobilenet-v2-imagenet/hf");
  tasks::VisionModel model({.path = shared_data("mobilenet-v2-imagenet/hf")});
  model.see_at(448, 448);
  double tokens = 0, colors = 0;
  for (const auto& photo : photos()) {
    Tensor values;
    const nn::Watch watch(model.network(), [&](const std::string& done, const Tensor& y) {
      if (done == "layer.11") values = y.clone();
      return y;
    });
    model.forward(tasks::as_batch(image::apply(model.transform(), photo.picture)));
    const Tensor map = values[0].flatten(1).t();  // [28 * 28, dim]
    const auto found = k_means(map, {.clusters = 4}).assignment.view({28, 28});
    const Tensor spread = found.repeat_interleave(side / 28, 0).repeat_interleave(side / 28, 1);
    const double of_tokens = overlap(photo, spread.flatten());
    const double of_colors = overlap(photo, k_means(rows_of(photo.picture), {.clusters = 4}).assignment);
    tokens += of_tokens / 3, colors += of_colors / 3;
    RecordProperty(photo.name, fmt::format("{:.3f} against {:.3f}", of_tokens, of_colors));
  }
  EXPECT_GT(tokens, colors + 0.02) << "mean best-match IoU of three photos";
}

}  // namespace
}  // namespace nunchi::explain
