// explain/correspondence.h: which patch of one picture is which of another, by the cosine of their tokens.
//
//   const Tensor cosines = patch_cosines(first, second);        // tokens [n, dim], [m, dim] -> [n, m]
//   const Tensor map = cosines[patch_index(grid, 3, 7)];        // how alike every patch is to that one
//   for (const Match& match : mutual_nearest(cosines)) line(match.from, match.to);
#pragma once

#include "explain/patch_tokens.h"

namespace nunchi::explain {

// [n, dim], [m, dim] -> [n, m] float in -1 ... 1. A row of zeros has 0 with all.
Tensor patch_cosines(const Tensor& from, const Tensor& to);

struct Match {
  std::int64_t from, to;
  double cosine;
};

// For each row of cosines [n, m] its largest column, in the order of the rows; of equal ones the first.
std::vector<Match> best_matches(const Tensor& cosines);

// Those pairs that are each other's nearest, the most alike first.
std::vector<Match> mutual_nearest(const Tensor& cosines);

}  // namespace nunchi::explain
