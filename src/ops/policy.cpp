#include "ops/policy.h"

#include <fmt/format.h>

#include "core/error.h"

namespace nunchi::ops {
namespace {

thread_local Policy current_policy = Policy::automatic;
thread_local PathCounts counts;

bool decide(std::string_view op, std::string_view obstacle) {
  if (current_policy == Policy::reference) return false;
  if (current_policy == Policy::fused && !obstacle.empty()) {
    throw Error(ErrorKind::internal, fmt::format("{}: the fused path was demanded, but {}", op, obstacle));
  }
  return obstacle.empty();
}

}  // namespace

PolicyScope::PolicyScope(Policy policy) : previous_(current_policy) { current_policy = policy; }

PolicyScope::~PolicyScope() { current_policy = previous_; }

bool use_fused(std::string_view op, std::string_view obstacle) {
  const bool fused = decide(op, obstacle);
  ++(fused ? counts.fused : counts.reference);
  return fused;
}

PathCounts path_counts() { return counts; }

void reset_path_counts() { counts = {}; }

}  // namespace nunchi::ops
