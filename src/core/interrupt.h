// core/interrupt.h: one flag for the whole process that asks long work to stop at the next good place.
//
//   std::signal(SIGINT, [](int) { nunchi::request_stop(); });
//   for (const auto& batch : batches) { throw_if_stopped(); run(batch); }
#pragma once

namespace nunchi {

// Async-signal-safe and thread-safe.
void request_stop() noexcept;
bool stop_requested() noexcept;
void clear_stop() noexcept;

// Throws Error (interrupted) once a stop was requested.
void throw_if_stopped();

}  // namespace nunchi
