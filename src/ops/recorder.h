// ops/recorder.h: records what a forward does: every op of ops/ and every ATen op below, as slices of time that nest as
// the calls nest, and the memory that tensors take.
//
//   ops::Recorder recorder;
//   { model.forward(pixels); }
//   const ops::Recording recording = recorder.take();
//   recording.slices[0].name;   // "linear", and below it "aten::addmm"
//
// One thread is recorded, the one that made the recorder: what its OpenMP workers do belongs to the op that woke them.
// Recording costs about a microsecond for each slice.
#pragma once

#include <memory>

#include "core/one_thread.h"
#include "ops/op_scope.h"

namespace nunchi::ops {

namespace detail {
class Hooks;
}

// One call. Times are nanoseconds since the recording began.
struct Slice {
  std::string name;    // "linear"; of an ATen op "aten::addmm"
  bool is_op = false;  // of ops/
  std::int64_t begin = 0, end = 0;
  std::optional<std::size_t> parent;  // the slice that it lies in
  std::vector<Shape> inputs;          // of the defined tensors
  at::ScalarType dtype = at::kFloat;  // of the first of them; kChar where one holds codes of int8
  std::int64_t macs = 0;              // that the op itself counted; ATen ops count none
  std::int64_t bytes_read = 0;        // of its inputs, each once; 0 where the result is a view of an input
  std::int64_t bytes_written = 0;     // of its results

  std::int64_t duration() const { return end - begin; }
};

// What the tensors of the CPU that were made since the recording began took, after one of them was made or freed.
struct MemoryPoint {
  std::int64_t time = 0, bytes = 0;
  std::optional<std::size_t> slice;  // the innermost one at that time
};

struct Recording {
  std::vector<Slice> slices;  // in the order of their begin
  std::vector<MemoryPoint> memory;
  std::int64_t duration = 0;  // until take()
};

// Records while it lives, and leaves nothing behind. Asserts that the thread has no other one.
class Recorder {
 public:
  Recorder();
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Everything since the last take(), or since the beginning. Asserts that no op is running.
  Recording take();

 private:
  std::unique_ptr<detail::RecorderState> state_;
  std::unique_ptr<detail::Hooks> hooks_;
  OneThread one_thread_;
};

}  // namespace nunchi::ops
