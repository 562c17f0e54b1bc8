// core/process_time.h: how long this process has been running, its loading by the system included.
//
//   const double start_up = seconds_since_process_start();   // asked first thing: what it took to get here
#pragma once

namespace nunchi {

// To a hundredth of a second, as the system keeps it. 0 where the system does not tell.
double seconds_since_process_start();

}  // namespace nunchi
