// tasks/json_from_child.h: what was measured in a process of its own, or why it could not be.
//
//   const ChildJson child = json_from_child([&] { return measured(source); });
//   child.json["seconds"];   // of a failure {"error": text, "kind": ErrorKind as a number}
#pragma once

#include <functional>

#include "core/json.h"

namespace nunchi::tasks {

struct ChildJson {
  Json json;
  std::uint64_t peak_memory = 0;  // bytes, of the process
};

// Forks (core/child_process.h): call it before anything of LibTorch has run in this process. What `work` throws, and
// that the process was killed, comes back as an error.
ChildJson json_from_child(const std::function<Json()>& work);

}  // namespace nunchi::tasks
