// ops/both_paths.h: an op by its fused path and by its reference, with proof that each ran.
//
//   const auto [fused, reference] = linear_by_both_paths(x, weights, epilogue);
#pragma once

#include <gtest/gtest.h>

#include "ops/linear.h"
#include "ops/policy.h"

namespace nunchi::ops {

struct BothPaths {
  Tensor fused, reference;
};

inline BothPaths linear_by_both_paths(const Tensor& x, const LinearWeights& w, const Epilogue& e) {
  BothPaths y;
  reset_path_counts();
  y.fused = linear(x, w, e);
  EXPECT_EQ(path_counts().fused, 1);
  EXPECT_EQ(path_counts().reference, 0);
  const PolicyScope scope(Policy::reference);
  y.reference = linear(x, w, e);
  EXPECT_EQ(path_counts().reference, 1);
  EXPECT_EQ(y.fused.scalar_type(), x.scalar_type());
  EXPECT_EQ(y.reference.scalar_type(), x.scalar_type());
  return y;
}

}  // namespace nunchi::ops
