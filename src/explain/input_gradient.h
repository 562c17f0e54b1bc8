// explain/input_gradient.h: how the answer changes with each number of the network's input, [3, h, w].
//
//   const Tensor map = pixel_map(integrated_gradients(subject, target));   // [h, w], >= 0
#pragma once

#include "explain/work.h"

namespace nunchi::explain {

// The gradient of the score times the input (Shrikumar et al. 2016): what each number adds, were the network linear.
Tensor input_x_gradient(const Subject& subject, const Target& target);

// The same where "gradients" are handed back by rules of relevance (ops/relevance.h): what each number adds, as each
// layer shares out what reached it.
Tensor layerwise_relevance(const Subject& subject, const Target& target);

// Sundararajan et al. 2017: the gradient's mean along the straight way from an input of zeros (the mean colour) to the
// picture, times the input; it sums to what the score gained on the way. `steps` points of Gauss and Legendre.
Tensor integrated_gradients(const Subject& subject, const Target& target, std::int64_t steps = 50,
                            const Work& work = {});

// Smilkov et al. 2017: the gradient's mean over `samples` pictures with noise, whose standard deviation is `noise` of
// the range of the input.
Tensor smooth_grad(const Subject& subject, const Target& target, std::int64_t samples = 25, double noise = 0.15,
                   const Work& work = {});

// What speaks for the answer: the positive part of the sum over the channels, [3, h, w] -> [h, w].
Tensor pixel_map(const Tensor& contributions);

// Points and weights for the integral from 0 to 1, both [order].
struct Quadrature {
  std::vector<double> points, weights;
};
Quadrature gauss_legendre(std::int64_t order);

}  // namespace nunchi::explain
