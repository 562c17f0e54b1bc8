// explain/projection.h: many vectors as points in the plane, so that what is alike lies together; and what lies alone
// or twice.
//
//   const Tensor plane = pca_plane(vectors);                            // [n, dim] -> [n, 2]
//   const Tsne map = tsne(vectors, {.perplexity = 30, .seed = 1});      // map.places [n, 2]
//   for (const Outlier& one : outliers(nearest_neighbors(vectors, 10))) print(files[one.index], one.distance);
//   for (const Match& pair : near_duplicates(vectors, 0.95)) print(files[pair.from], files[pair.to]);
#pragma once

#include "core/progress.h"
#include "explain/correspondence.h"
#include "explain/search.h"

namespace nunchi::explain {

// The first two principal components [n, 2] of vectors [n, dim]; zeros of a single vector.
Tensor pca_plane(const Tensor& vectors);

struct TsneOptions {
  double perplexity = 30;          // lowered to (n - 1) / 3 of few vectors
  double early_exaggeration = 12;  // of the first quarter of the iterations, at most 250
  std::int64_t iterations = 1000;
  std::uint64_t seed = 0;
  Progress progress;  // called after each iteration
};

struct Tsne {
  Tensor places;                   // [n, 2] float
  std::vector<double> divergence;  // Kullback-Leibler, every 50 iterations and after the last
  double perplexity = 0;           // what was used
};

// Exact t-SNE (van der Maaten and Hinton 2008), from the first two principal components with a little chance of the
// seed, at learning rate max(n / 48, 50) (Belkina et al. 2019). Time and memory grow with n^2: about 5,000 vectors are
// fine. Throws Error (usage) above 20,000, Error (interrupted) where it is stopped. The same vectors and seed give the
// same places.
Tsne tsne(const Tensor& vectors, const TsneOptions& options = {});

struct UmapOptions {
  std::int64_t neighbors = 15;  // fewer of few vectors
  std::int64_t epochs = 400;
  std::uint64_t seed = 0;
  Progress progress;  // called after each epoch
};

// UMAP (McInnes, Healy and Melville 2018) with a least distance of 0.1 and five negative samples, from the first two
// principal components; the nearest neighbours are exact and Euclidean. Time grows with n^2 only for these. Throws
// Error (interrupted) where it is stopped. The same vectors and seed give the same places. -> [n, 2] float.
Tensor umap(const Tensor& vectors, const UmapOptions& options = {});

// For each of the vectors [n, dim] its k nearest others by cosine, the nearest first; fewer where there are no more.
std::vector<std::vector<Neighbor>> nearest_neighbors(const Tensor& vectors, std::int64_t k);

struct Outlier {
  std::int64_t index;
  double distance;  // the mean of 1 - cosine to its nearest others
};

// Those that lie further from the others than 1.5 times the range between the quartiles above the upper one (Tukey
// 1977), the loneliest first. Takes what nearest_neighbors() gives.
std::vector<Outlier> outliers(const std::vector<std::vector<Neighbor>>& all_neighbors);

// Pairs (from < to) with a cosine of at least `threshold`, the most alike first.
std::vector<Match> near_duplicates(const Tensor& vectors, double threshold);

}  // namespace nunchi::explain
