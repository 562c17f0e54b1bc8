// tasks/profile.h: where the time of a forward goes, operation by operation, and what memory its tensors take.
//
//   const Profile profile = profile_forward(model, pixels, {.runs = 100});
//   profile.ops.front().name;      // "linear", the costliest
//   chrome_trace(profile.forward)  // tasks/trace.h
//
// Time counts for the innermost op of ops/ in which it was spent; an ATen op is a line of its own only where the model
// calls it directly. The times of all lines and the time between them make up the forward.
#pragma once

#include <functional>

#include "ops/recorder.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {

struct ProfileOptions {
  std::int64_t warm_ups = 10, runs = 100;
  std::function<void(std::int64_t done, std::int64_t total)> on_progress = [](std::int64_t, std::int64_t) {};
};

// All calls of one kind of operation on inputs of the same shapes; every figure is of one forward.
struct OpLine {
  std::string name;  // "linear"; "aten::cat"
  std::vector<Shape> inputs;
  at::ScalarType dtype = at::kFloat;  // that it computes in; kChar: int8
  std::int64_t calls = 0;
  double seconds = 0;
  std::int64_t macs = 0, bytes = 0;  // bytes: read and written, each tensor once a call
};

struct MemoryPeak {
  std::int64_t bytes = 0;  // of the tensors made since the forward began: neither weights nor input
  double seconds = 0;      // since the forward began
  std::string op;          // "linear"; empty: between the operations
  std::vector<Shape> inputs;
};

struct Profile {
  std::vector<OpLine> ops;        // costliest first
  std::int64_t runs = 0;          // fewer than asked for where the user stopped
  double seconds = 0;             // of a forward, on average over the runs: what the lines sum to
  double median_seconds = 0;      // of a forward
  double between_seconds = 0;     // of these, outside every operation
  double unrecorded_seconds = 0;  // the median where nobody records
  std::int64_t macs = 0;          // of all operations
  ops::Recording forward;         // the fastest run, disturbed least; its first slice is the forward itself
  MemoryPeak peak;                // in that run
};

// pixels [b, c, h, w], float. Beside every fourth recorded forward, one runs unrecorded. Throws Error (interrupted)
// where the user stops before the first run is done.
Profile profile_forward(const VisionModel& model, const Tensor& pixels, const ProfileOptions& options = {});

// The forwards before those that count. Throws Error (interrupted).
void warm_up(const VisionModel& model, const Tensor& pixels, const ProfileOptions& options);

// For each slice, the slice whose line its time is part of: an op of ops/, an ATen op called outside these, or the
// forward.
std::vector<std::size_t> line_slices(const ops::Recording& forward);

}  // namespace nunchi::tasks
