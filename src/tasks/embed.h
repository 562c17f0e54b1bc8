// tasks/embed.h: one vector per picture, or one per patch.
#pragma once

#include "models/model.h"

namespace nunchi::tasks {

// cls: the class token after the final norm; mean: the mean of the patch tokens; grid: all patch tokens.
// Of a convolutional network, cls and mean are both the mean of the feature map.
enum class EmbeddingKind { cls, mean, grid };

EmbeddingKind embedding_kind_from_name(const std::string& name);  // throws Error (usage)

// -> [b, dim], for grid [b, rows, columns, dim]. Throws Error (model) where a number is not finite.
Tensor embeddings(const models::ModelOutput& output, EmbeddingKind kind);

// rows [n, dim] -> [n, n]: the cosine of the angle between each two. A row of zeros has similarity 0 with all.
Tensor cosine_matrix(const Tensor& rows);

}  // namespace nunchi::tasks
