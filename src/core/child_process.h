// core/child_process.h: work in a process of its own, so that its memory can be measured and given back as a whole.
//
//   const ChildResult result = run_in_child([] { return heavy_work(); });
//   result.output;        // what the function returned
//   result.peak_memory;   // bytes, as the operating system counts them
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace nunchi {

struct ChildResult {
  bool finished = false;          // false: killed, or ended before it could answer
  int signal = 0;                 // that killed it
  std::string output;             // what `work` returned
  std::uint64_t peak_memory = 0;  // the largest resident size of the child, what it shares with this process included
};

// Forks: call it before this process has started any thread. `work` must not throw; it sees all that this process had.
// Throws Error (internal) where the system gives no process.
ChildResult run_in_child(const std::function<std::string()>& work);

}  // namespace nunchi
