// ops/attention_blocks.h: attention without the matrix of all scores: block after block of queries, so that the scores
// of a block stay in the cache. Reads q, k and v where the qkv projection left them.
#pragma once

#include "ops/attention_bias.h"
#include "ops/attention_windows.h"

namespace nunchi::ops {

// Empty where attention_blocks can run, else why not. It is for inference; training goes head by head
// (ops/attention_heads.h).
const char* attention_blocks_obstacle(const Tensor& q, const Tensor& k, const Tensor& v);

struct AttentionBlockOptions {
  double scale;
  AttentionBias bias = {};
  AttentionSamples samples = {};
  bool scores_in_codes = false;  // queries and keys in eight bits (ops/attention_scores.h)
};

// q [b, n_q, heads, head_dim], k, v [b, n_k, heads, head_dim], fp32 or bf16 -> [b, n_q, heads, head_dim], contiguous.
Tensor attention_blocks(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionBlockOptions& options);

}  // namespace nunchi::ops
