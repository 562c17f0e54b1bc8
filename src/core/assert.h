// core/assert.h: conditions that only a bug of ours can break. They throw, so that a server stays alive, and stay on in
// release builds.
//
//   ASSERT(x.dim() == 3, "tokens are [batch, tokens, dim]");
#pragma once

#include "core/error.h"

namespace nunchi {

[[noreturn]] void assertion_failed(const char* condition, const char* message, const char* file, int line);

}  // namespace nunchi

#define ASSERT(condition, message) \
  ((condition) ? static_cast<void>(0) : ::nunchi::assertion_failed(#condition, message, __FILE__, __LINE__))
