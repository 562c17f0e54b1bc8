// ops/policy.h: which of its two paths an op takes, and which one it took.
//
// Every op has a reference (readable, differentiable, the definition) and may have a fused path. `automatic` takes the
// fused path where it is possible. Tests and benchmarks force one:
//
//   const ops::PolicyScope scope(ops::Policy::reference);
//   ops::linear(x, weights);   // the definition, whatever is packed
#pragma once

#include <cstdint>
#include <string_view>

#include "core/one_thread.h"

namespace nunchi::ops {

enum class Policy { automatic, reference, fused };

// The calling thread's policy, until the scope ends.
class PolicyScope {
 public:
  explicit PolicyScope(Policy policy);
  ~PolicyScope();
  PolicyScope(const PolicyScope&) = delete;
  PolicyScope& operator=(const PolicyScope&) = delete;

 private:
  Policy previous_;
  OneThread one_thread_;
};

// Decides for one call of `op`. `obstacle` says why the fused path cannot run, empty where it can.
// Throws Error (internal) where the policy is `fused` and there is an obstacle.
bool use_fused(std::string_view op, std::string_view obstacle);

// How often each path ran on the calling thread since the last reset: a test proves with it which path it tested.
struct PathCounts {
  std::int64_t fused = 0, reference = 0;
};
PathCounts path_counts();
void reset_path_counts();

}  // namespace nunchi::ops
