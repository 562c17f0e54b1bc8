#include "core/interrupt.h"

#include <atomic>

#include "core/error.h"

namespace nunchi {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "request_stop() is called from a signal handler");

}  // namespace

void request_stop() noexcept { stop.store(true, std::memory_order_relaxed); }

bool stop_requested() noexcept { return stop.load(std::memory_order_relaxed); }

void clear_stop() noexcept { stop.store(false, std::memory_order_relaxed); }

void throw_if_stopped() {
  if (stop_requested()) throw Error(ErrorKind::interrupted, "stopped; what was finished before is kept");
}

}  // namespace nunchi
