// models/by_pictures.h: a batch, its pictures shared out among the threads.
//
//   const auto output = models::forward_by_pictures(model, image);   // the numbers of model.forward(image)
//
// Each thread takes pictures of its own through the whole network: what one layer writes, the next one reads in the
// same core's cache, and no thread waits for another between layers. Those that do not come out even are taken through
// it by all threads together.
#pragma once

#include "models/model.h"

namespace nunchi::models {

// As Model::forward(), for inference on the CPU. In one go where fewer pictures come than there are threads, and where
// somebody looks on (core/one_thread.h). Throws as Model::forward().
ModelOutput forward_by_pictures(const Model& model, const Tensor& image, const ForwardOptions& options = {});

}  // namespace nunchi::models
