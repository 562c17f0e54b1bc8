// tasks/layer_times.h: where the time of a forward goes, layer by layer.
//
//   const LayerTimes times = time_layers(model, pixels, {.runs = 100});
//   times.layers.front().name;   // "patch_embed"
//
// A layer is seen when it is done (nn/watch.h). One without layers inside it takes from the begin of its last operation
// of ops/ until then; what was done before it counts for the layer around it, as the attention between two projections
// does. So every moment is the own time of one layer, or of none.
#pragma once

#include "tasks/profile.h"

namespace nunchi::tasks {

// By its name in the checkpoint; every figure is of one forward, on average.
struct LayerTime {
  std::string name;
  double seconds = 0, own_seconds = 0;  // with the layers inside it, and without
};

struct LayerTimes {
  std::vector<LayerTime> layers;  // in the order of the network, each before those inside it
  std::int64_t runs = 0;          // fewer than asked for where the user stopped
  double seconds = 0;             // of a forward
  double outside_seconds = 0;     // of these, in no layer
};

// pixels [b, c, h, w], float. Throws Error (interrupted) where the user stops before the first run is done.
LayerTimes time_layers(const VisionModel& model, const Tensor& pixels, const ProfileOptions& options = {});

}  // namespace nunchi::tasks
