#include "core/error.h"

#include <fmt/format.h>

#include "core/assert.h"

namespace nunchi {

void assertion_failed(const char* condition, const char* message, const char* file, int line) {
  throw Error(ErrorKind::internal, fmt::format("nunchi has a bug: {} ({}) does not hold at {}:{}. Please report it.",
                                               message, condition, file, line));
}

}  // namespace nunchi
