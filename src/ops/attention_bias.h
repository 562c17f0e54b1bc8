// ops/attention_bias.h: what is added to the scores of a fused attention, row by row where it lies.
#pragma once

#include "ops/attention_kernels.h"
#include "ops/tensor.h"

namespace nunchi::ops {

// Sample i takes bias i mod t of [t, heads, n_q, n_k]; every axis of it may be broadcast.
class AttentionBias {
 public:
  AttentionBias() = default;  // none
  AttentionBias(const Tensor& bias, std::int64_t heads, std::int64_t queries, std::int64_t keys);

  explicit operator bool() const { return bias_.defined(); }

  // scores[i] = scale * scores[i] + bias, for the queries from `first` on of one head.
  struct Place {
    std::int64_t sample, head, first;
  };
  void add(BiasedScores scores, const Place& place) const;

 private:
  Tensor bias_;  // [t, heads, n_q, n_k], its last axis contiguous
};

}  // namespace nunchi::ops
