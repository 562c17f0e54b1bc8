// tasks/trace.h: a recorded forward in the Trace Event Format, which Perfetto and Chrome's about:tracing open.
//
//   write_file("trace.json", chrome_trace(profile.forward).dump());
#pragma once

#include "core/json.h"
#include "ops/recorder.h"

namespace nunchi::tasks {

// One complete event ("X") a slice, with shapes, bytes and FLOPs as its args, and a counter ("C") of the memory of the
// tensors. Times are microseconds since the recording began.
Json chrome_trace(const ops::Recording& forward);

// "1x197x768 768x768 768"
std::string shapes_text(const std::vector<Shape>& shapes);

}  // namespace nunchi::tasks
