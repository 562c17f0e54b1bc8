// tasks/embed.h: one vector per picture, per patch or per register token.
#pragma once

#include "models/model.h"

namespace nunchi::tasks {

// cls: the class token after the final norm; mean: the mean of the patch tokens; pooled: the pooler's output, which is
// what most classifiers read; grid: all patch tokens; registers: all register tokens. Of a model without class token,
// cls is pooled, or else the mean; of a convolutional network, cls and mean are both the mean of the feature map.
enum class EmbeddingKind { cls, mean, pooled, grid, registers };

EmbeddingKind embedding_kind_from_name(const std::string& name);  // throws Error (usage)

// -> [b, dim], for grid [b, rows, columns, dim], for registers [b, registers, dim]. Throws Error (usage) where the
// model has none of the kind, Error (model) where a number is not finite.
Tensor embeddings(const models::ModelOutput& output, EmbeddingKind kind);

// rows [n, dim] -> [n, n]: the cosine of the angle between each two. A row of zeros has similarity 0 with all.
Tensor cosine_matrix(const Tensor& rows);

}  // namespace nunchi::tasks
