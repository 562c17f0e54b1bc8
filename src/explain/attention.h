// explain/attention.h: what the attention weights of a vision transformer tell, block by block and head by head.
//
//   const AttentionEvidence evidence = subject.attention(target);
//   const Tensor map = from_class_token(gradient_rollout(evidence), anatomy);   // [rows, columns]
//   const Tensor entropies = attention_entropy(evidence.weights.back());        // [heads]
//
// weights are [heads, n, n]: rows ask, columns are read, and every row sums to one. tasks/attention_map.h has the
// rollout that knows no class.
#pragma once

#include "explain/subject.h"

namespace nunchi::explain {

// Chefer, Gur and Wolf 2021 ("Generic Attention-model Explainability", equations 5 and 6): R = R + mean over the heads
// of relu(gradient * weights) R, from I, block after block. [n, n].
Tensor gradient_rollout(const AttentionEvidence& evidence);

// relevance [n, n] -> of the patches to what the answer is read from, [rows, columns]: the class token, or the mean of
// all patches where there is none.
Tensor from_class_token(const Tensor& relevance, const Anatomy& anatomy);

// How widely each head spreads its weights: -sum w ln w, mean over all that ask. From 0 (one token) to ln n. [heads].
Tensor attention_entropy(const Tensor& weights);

// How far each head looks, in patches (Dosovitskiy et al. 2021, figure 7): the mean distance of what a patch reads,
// weighted; tokens before the patches neither ask nor count. [heads].
Tensor attention_distance(const Tensor& weights, const Anatomy& anatomy);

// The largest values of a map that together are `share` of its sum (Caron et al. 2021, figure 1: 0.6). Boolean, of the
// map's shape.
Tensor largest_share(const Tensor& map, double share = 0.6);

}  // namespace nunchi::explain
