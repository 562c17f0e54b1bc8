// core/memory.h: what becomes of freed memory.
#pragma once

namespace nunchi {

// From now on the C library keeps what is freed for the next allocation instead of giving it back to the system. For
// work that takes and frees the same large buffers over and over, such as training: fresh pages cost a fifth of a step.
// The peak grows by some per cent. Does nothing with another C library than glibc.
void keep_freed_memory();

}  // namespace nunchi
