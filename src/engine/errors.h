// engine/errors.h: the one place where what LibTorch and the standard library throw becomes our Error.
#pragma once

#include "core/error.h"

namespace nunchi::engine {

// To be called inside a catch block: throws the current exception again, as an Error.
[[noreturn]] void rethrow_as_error();

}  // namespace nunchi::engine
