// core/one_thread.h: keeps a forward on the thread that calls it.
//
// Who looks at a forward, or rules over it, from its own thread (a recorder, a watch, a policy) holds one meanwhile; a
// batch is then not shared out among threads (models/by_pictures.h), which would be out of sight.
#pragma once

namespace nunchi {

class OneThread {
 public:
  OneThread() { ++held; }
  ~OneThread() { --held; }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

  static bool is_demanded() { return held > 0; }  // by anyone on this thread

 private:
  static inline constinit thread_local int held = 0;
};

}  // namespace nunchi
