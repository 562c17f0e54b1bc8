// explain/similarity.h: how alike what two networks (or two layers) compute is, and what the numbers inside look like.
//
//   const Tensor cka = linear_cka(layers_of_one, layers_of_other);   // each [examples, features] -> [layers, layers]
//   const Histogram bars = histogram(weight, {.bins = 64});          // its counts sum to the number of weights
//   ActivationStatistics seen; seen.add(activation, 2); seen.mean();
#pragma once

#include <limits>

#include "nn/position.h"
#include "ops/tensor.h"

namespace nunchi::explain {

// Linear centred kernel alignment (Kornblith, Norouzi, Lee and Hinton 2019, "Similarity of neural network
// representations revisited", section 3): ||Y'X||^2 / (||X'X|| ||Y'Y||) of centred features, 1 where one is a rotation
// and scaling of the other, 0 where nothing in one tells of the other. Every tensor is [examples, features], with
// equally many examples, at least two; features that never change have 0 with all. -> [one, other], double.
Tensor linear_cka(const std::vector<Tensor>& one, const std::vector<Tensor>& other);

// What a layer gave, [b, c, rows, columns], as examples for linear_cka: each cell of a grid over each picture, the mean
// of what lies in it. Layers of different resolution, also of different networks, so have the same examples. -> [b *
// cells, c].
Tensor cell_examples(const Tensor& map, nn::Grid cells);

// How alike the learned positions of a picture's patches are: table [rows * columns, dim] -> cosines
// [rows * columns, rows, columns], a map for each patch.
Tensor position_cosines(const Tensor& table, nn::Grid grid);

struct HistogramOptions {
  std::int64_t bins = 64;
  std::optional<double> least, greatest;  // without: those of the values
};

struct Histogram {
  double least = 0, greatest = 0;    // the ends; what lies outside counts in the first and the last bin
  std::vector<std::int64_t> counts;  // of equally wide bins
  std::int64_t not_finite = 0;       // counted here alone
};

// Of every number of a tensor, read in pieces: nothing as large as the tensor is made. Of none, all counts are zero.
Histogram histogram(const Tensor& values, const HistogramOptions& options = {});

// What a layer gives, over one picture or many. A unit is a channel.
class ActivationStatistics {
 public:
  // Any shape; `channel_axis` says along which axis the units lie (1 of maps, the last of tokens). Always as many
  // units.
  void add(const Tensor& activation, std::int64_t channel_axis);

  std::int64_t count() const { return count_; }
  std::int64_t units() const { return sums_.defined() ? sums_.size(0) : 0; }
  double mean() const;
  double deviation() const;
  double least() const;
  double greatest() const;
  // Of the units, those that had one and the same value everywhere: they tell nothing (a ReLU that never opens).
  // 0 where every unit was seen once alone.
  double dead_share() const;
  // Units whose root mean square is over `times` the median unit's: the few channels that quantisation trips over.
  std::vector<std::int64_t> outlier_channels(double times = 6) const;

 private:
  std::int64_t count_ = 0;                    // of numbers
  Tensor sums_, squares_, least_, greatest_;  // [units], double
};

}  // namespace nunchi::explain
