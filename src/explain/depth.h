// explain/depth.h: how the answer grows from block to block.
//
//   const auto lens = logit_lens(model, pixels);         // [depth + 1, classes]: the answer after so many blocks
//   const auto drift = class_token_drift(output);        // of a forward with hidden states
//   drift.to_last[3];                                    // how far block 3 is from the end
#pragma once

#include "tasks/vision_model.h"

namespace nunchi::explain {

// nostalgebraist 2020, "interpreting GPT: the logit lens", for pictures: what the final norm and the head say to the
// tokens after every block, as if the rest were left out. pixels [1, c, h, w] -> logits [depth + 1, classes]; row 0 is
// of the embeddings, the last row the answer itself. Throws Error (usage) where the model has no head or no chain of
// equal blocks.
Tensor logit_lens(const tasks::VisionModel& model, const Tensor& pixels);

struct Drift {
  std::vector<double> step, to_last;  // cosine of each block's token to that before it and to the last one
  bool of_class_token = true;         // otherwise the mean of the patch tokens
};

// Of the first picture of a forward with hidden states; index 0 stands for the embeddings, whose step is 1. Throws
// Error (usage) where the model has no chain of equal blocks.
Drift class_token_drift(const models::ModelOutput& output);

}  // namespace nunchi::explain
