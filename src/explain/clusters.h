// explain/clusters.h: which patches belong together: k-means, spectral clustering, and both over several pictures at
// once (co-segmentation: the same part has the same number in every picture).
//
//   const Clusters clusters = k_means(tokens, {.clusters = 6, .seed = 1});   // tokens [n, dim]
//   clusters.assignment;                                                     // [n], 0 the largest cluster
//   const SpectralClusters parts = spectral_clusters(tokens, {.clusters = 4});
//   parts.suggested;                                                         // how many the eigenvalues speak for
#pragma once

#include "explain/patch_tokens.h"

namespace nunchi::explain {

struct ClusterOptions {
  std::int64_t clusters = 6;
  std::uint64_t seed = 0;
  std::int64_t starts = 4;        // of which the one with the least inertia is taken
  std::int64_t iterations = 100;  // at most, for each start
};

struct Clusters {
  Tensor assignment;  // [n] int64; numbered by size, the largest first
  Tensor centers;     // [k, dim] float, in that order
  std::vector<std::int64_t> sizes;
  std::vector<double> inertia;  // sum of squared distances to the own centre after each iteration; it never rises
};

// Lloyd's k-means from centres chosen as k-means++ does (Arthur and Vassilvitskii 2007). rows [n, dim], n >= 1; where
// there are fewer different rows than clusters, there are as many clusters as rows. A cluster that loses all its rows
// takes the row that is farthest from its centre. The same rows and seed give the same numbers.
Clusters k_means(const Tensor& rows, const ClusterOptions& options = {});

struct SpectralClusters {
  Clusters clusters;                // its centres are of the rows given, not of the eigenvectors
  std::vector<double> eigenvalues;  // the least of the normalised Laplacian, ascending, up to 16
  std::int64_t suggested = 1;       // the number of clusters before the largest gap between these
};

// Ng, Jordan and Weiss 2001: k-means on the rows of the least eigenvectors of I - D^-1/2 W D^-1/2, where W is the
// cosine of two rows (their mean subtracted, negative ones 0). Throws Error (usage) above 6,000 rows, of which the
// matrix would not end in good time.
SpectralClusters spectral_clusters(const Tensor& rows, const ClusterOptions& options = {});

}  // namespace nunchi::explain
