// data/augment.h: what training does to a picture before the network sees it.
//
//   const Augmentation augmentation({.size = {32, 32}, .random_crop = RandomCrop{.padding = 4}, .flip = 0.5,
//                                    .rand_augment = RandAugment{}, .mean = cifar_mean, .std = cifar_std});
//   Random random(seed, epoch, sample);
//   augmentation.apply(picture, random, out);           // out: [channels, height, width], normalised
//   image::Picture seen = augmentation.draw(picture, random);   // the same before it is normalised
//
// The steps, in this order, each off unless asked for; parameters are drawn from the distributions of torchvision v2
// and the arithmetic of each step (data/augment_ops.h) is that of torchvision v2 on PIL pictures:
//   shortest_edge -> random_resized_crop, or random_crop, or else resize to `size` -> flips -> rotation -> colour
//   jitter
//   -> grayscale -> RandAugment -> x / 255, normalise -> random erasing
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "data/random.h"
#include "image/picture.h"
#include "image/resize.h"

namespace nunchi::data {

// A part of random area and shape, resized to the result's size (Szegedy et al. 2015).
struct RandomResizedCrop {
  std::array<double, 2> scale{0.08, 1};           // of the picture's area
  std::array<double, 2> ratio{3.0 / 4, 4.0 / 3};  // width / height
};

// What lies around a picture.
enum class Padding { constant, edge, reflect, symmetric };

// A part of the result's size from the picture as it is, padded on each side; more where it is still too small.
struct RandomCrop {
  int padding = 0;
  Padding mode = Padding::constant;
  std::array<std::uint8_t, 3> fill{0, 0, 0};
};

// Factors are drawn from [1 - x, 1 + x], not below 0, and hue turns from [-hue, hue], at most 0.5; the order of the
// four is shuffled.
struct ColorJitter {
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;
  double probability = 1;
};

// Cubuk et al. 2020: `operations` of 14, drawn with repetition, all at one strength of 0 to bins - 1.
struct RandAugment {
  int operations = 2, magnitude = 9, bins = 31;
  image::Filter filter = image::Filter::nearest;  // nearest, bilinear or bicubic
  std::array<std::uint8_t, 3> fill{0, 0, 0};
};

// Zhong et al. 2020, on the normalised values.
struct RandomErasing {
  double probability = 0.25;
  std::array<double, 2> scale{0.02, 0.33};  // of the area
  std::array<double, 2> ratio{0.3, 3.3};    // height / width
  bool noise = false;                       // a normal number per value; otherwise 0, which is the mean
};

struct AugmentOptions {
  std::array<int, 2> size{224, 224};  // height, width of the result
  int channels = 3;                   // or 1: gray
  image::Filter filter = image::Filter::bilinear;
  std::optional<int> shortest_edge;  // resized so first; where nothing random crops, the centre of `size` is taken
  std::optional<RandomResizedCrop> random_resized_crop;
  std::optional<RandomCrop> random_crop;
  double flip = 0;           // probabilities: left to right
  double vertical_flip = 0;  // top to bottom
  double rotation = 0;       // the largest angle in degrees
  std::optional<ColorJitter> color_jitter;
  double grayscale = 0;  // probability
  std::optional<RandAugment> rand_augment;
  std::optional<RandomErasing> random_erasing;
  std::array<double, 3> mean{0, 0, 0}, std{1, 1, 1};  // of x / 255
};

// Safe to use from several threads.
class Augmentation {
 public:
  // Throws Error (usage) that names the option and its range.
  explicit Augmentation(const AugmentOptions& options);

  int channels() const { return options_.channels; }
  std::array<int, 2> size() const { return options_.size; }  // height, width

  // Everything before normalising: a picture of size() with channels().
  image::Picture draw(const image::Picture& picture, Random& random) const;

  // `out` holds channels * height * width numbers.
  void apply(const image::Picture& picture, Random& random, std::span<float> out) const;

 private:
  image::Picture place(const image::Picture& picture, Random& random) const;
  void normalize(const image::Picture& picture, std::span<float> out) const;

  AugmentOptions options_;
  std::array<std::array<float, 256>, 3> tables_;  // of normalised bytes
};

}  // namespace nunchi::data
