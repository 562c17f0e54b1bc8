// tasks/attention_map.h: where a vision transformer looks, told by its own attention weights.
//
//   const auto output = model.forward(pixels, {.attentions = true});
//   const Tensor last = last_block_attention(output);   // [b, rows, columns], one number per patch
//   const Tensor all = attention_rollout(output);       // the same through every block
//
// Both ask what the class token attends to (a distillation token beside it is not asked); of a model without class
// token the mean over all patches. They show what was read, not what decided the answer.
#pragma once

#include "models/model.h"

namespace nunchi::tasks {

// Whether the model gives weights between all of its tokens: plain transformers do, windows and convolutions do not.
bool has_attention_map(const models::ModelOutput& output);

// Throws Error (usage) where it does not.
void require_attention_map(const models::ModelOutput& output);

// weights [b, n, n], from each token to each -> what is asked of the patches, [b, rows, columns].
Tensor seen_from_class_token(const Tensor& weights, const models::ModelOutput& output);

// The last block's weights, mean over its heads; they sum to one minus what the class and register tokens have. Throws
// Error (usage) where the model has none.
Tensor last_block_attention(const models::ModelOutput& output);

// Abnar and Zuidema 2020, section 3: the mean over the heads of each block, half of it taken for the residual
// connection (0.5 A + 0.5 I), rows summing to one; multiplied through from the last block to the first. `discarded`:
// the share of each block's weights, the least ones, that count as nothing (0 in the paper). Throws as above.
Tensor attention_rollout(const models::ModelOutput& output, double discarded = 0);

}  // namespace nunchi::tasks
