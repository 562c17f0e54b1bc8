// explain/perturbation.h: what the answer loses when parts of the picture are hidden. Nothing is asked of the model but
// its answers.
//
//   const Tensor map = occlusion(subject, target, {.window = 32, .stride = 16});   // [h, w]
#pragma once

#include "explain/work.h"

namespace nunchi::explain {

// Pixels; without: a seventh of the shorter side, half of which is a step.
struct OcclusionOptions {
  std::optional<std::int64_t> window = {}, stride = {};
};

// Zeiler and Fergus 2014, section 4.2: a square of zeros (the mean colour) moves over the picture; each pixel gets the
// mean of what the score lost under the squares that hid it. [h, w]. Asserts that no pixel is left between them.
Tensor occlusion(const Subject& subject, const Target& target, const OcclusionOptions& options = {},
                 const Work& work = {});

struct RiseOptions {
  std::int64_t masks = 1000, cells = 7;  // of each side
  double kept = 0.5;                     // of the cells
};

// RISE (Petsiuk et al. 2018): the mean of random soft masks, each weighted by the probability of the answer to the
// picture seen through it. [h, w], >= 0.
Tensor rise(const Subject& subject, const Target& target, const RiseOptions& options = {}, const Work& work = {});

}  // namespace nunchi::explain
