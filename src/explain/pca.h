// explain/pca.h: principal components of patch tokens, and the picture of them that DINOv2 made known: what belongs
// together has one colour.
//
//   const Pca pca = fit_pca(tokens, 3);                         // tokens [n, dim]
//   const Tensor three = project(pca, tokens);                  // [n, 3]
//   const PatchColors colors = pca_colors({first, second});     // jointly: the same part has the same colour in both
//   colors.rgb[0];                                              // [n, 3], 0 ... 1; black where it is background
#pragma once

#include "explain/patch_tokens.h"

namespace nunchi::explain {

struct Pca {
  Tensor mean;        // [dim]
  Tensor components;  // [k, dim], rows of length one, the largest variance first
  Tensor variances;   // [k], of the rows that it was fitted to (divided by n - 1)
  Tensor shares;      // [k], of the whole variance
};

// rows [n, dim] with n >= 2. Computed in double. The sign of a component is such that its largest entry is positive:
// the same rows always give the same picture. Asserts that 1 <= k <= dim; components beyond the rank of the rows have
// variance zero.
Pca fit_pca(const Tensor& rows, std::int64_t components);

Tensor project(const Pca& pca, const Tensor& rows);  // [n, dim] -> [n, k], float

struct PatchColors {
  std::vector<Tensor> rgb;         // [n, 3] float in 0 ... 1 for each picture
  std::vector<Tensor> foreground;  // [n] bool
  std::vector<double> shares;      // of the variance that the three colours show
};

// Oquab et al. 2023 (DINOv2), section 7.5 and figure 1: the sign of the first component tells foreground from
// background, and three components of the foreground's patches alone are red, green and blue. Which sign is foreground
// the paper leaves to the eye; here background is the side that has the larger share of its patches at the pictures'
// borders. Where one side has fewer than four patches, all are foreground. Pictures may have grids of different sizes;
// together they have at least two patches.
PatchColors pca_colors(const std::vector<PatchTokens>& pictures);

// Three components of all patches, none left out.
PatchColors pca_colors_of_all(const std::vector<PatchTokens>& pictures);

}  // namespace nunchi::explain
