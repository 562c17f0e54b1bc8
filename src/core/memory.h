// core/memory.h: what becomes of freed memory.
#pragma once

#include "core/error.h"

namespace nunchi {

// From now on the C library keeps what is freed for the next allocation instead of giving it back to the system, in the
// whole process. For work that takes and frees the same large buffers over and over, as networks do: fresh pages cost
// a tenth of a ViT's time, and half of a MobileNetV2's. The peak hardly grows. The program nunchi does it once a model
// is loaded; a process of one's own decides for itself. Does nothing with another C library than glibc.
NUNCHI_API void keep_freed_memory();

}  // namespace nunchi
