// explain/faithfulness.h: whether a map shows what the model used: measured, not believed.
//
//   const Curve deletion = deletion_curve(subject, target, map);
//   deletion.area;                                                 // small: what the map calls important was so
//   rank_correlation(map, map_of_random_weights);                  // near 1: the map does not depend on the weights
#pragma once

#include <optional>

#include "explain/work.h"

namespace nunchi::explain {

// The probability of the target's class while a share of the pixels, the most important first, is taken away or put
// back.
struct Curve {
  std::vector<double> shares, probabilities;
  double area = 0;  // under the probabilities, by trapezoids; shares reach from 0 to 1
};

// Petsiuk et al. 2018, section 3: pixels become zero (the mean colour), in `steps` equal parts. map [rows, columns]
// over the picture. Throws Error (interrupted).
Curve deletion_curve(const Subject& subject, const Target& target, const Tensor& map, std::int64_t steps = 32,
                     const Work& work = {});

// The same from a blurred picture (11 x 11 pixels, standard deviation 5) to the whole one.
Curve insertion_curve(const Subject& subject, const Target& target, const Tensor& map, std::int64_t steps = 32,
                      const Work& work = {});

// In pixels of the network's input.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

// The pointing game (Zhang et al. 2016): whether the map's largest value lies in a box, or within `tolerance` pixels of
// one.
bool hits(const Tensor& map, nn::Grid image, const std::vector<Box>& boxes, double tolerance = 15);

// How probably a place chosen by chance hits: what a method has to beat.
double chance_of_hit(nn::Grid image, const std::vector<Box>& boxes, double tolerance = 15);

// Spearman's, of the values of two maps of the same shape; equal values share their mean rank. Nothing where one of
// them is all equal.
std::optional<double> rank_correlation(const Tensor& a, const Tensor& b);

}  // namespace nunchi::explain
