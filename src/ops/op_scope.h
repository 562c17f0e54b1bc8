// ops/op_scope.h: the extent of one call of an op, for whoever records what a forward does (ops/recorder.h).
//
//   const OpScope scope("layer_norm", {&x, &w.weight, &w.bias});   // null and undefined ones are left out
//   count_macs(macs);                                              // of this op
//   return scope.result(y);
//
// Costs one branch where nobody records.
#pragma once

#include <initializer_list>

#include "ops/tensor.h"

namespace nunchi::ops {

namespace detail {

class RecorderState;
extern constinit thread_local RecorderState* recording;  // of this thread; null: nobody records

}  // namespace detail

class OpScope {
 public:
  OpScope(const char* name, std::initializer_list<const Tensor*> inputs) : recorded_(detail::recording != nullptr) {
    if (recorded_) [[unlikely]]
      begin(name, inputs);
  }
  ~OpScope() {
    if (recorded_) [[unlikely]]
      end();
  }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

  // What the op gives back, handed through.
  Tensor result(Tensor y) const {
    if (recorded_) [[unlikely]]
      wrote(y);
    return y;
  }

  // Multiply-accumulates of the innermost open scope; count_macs() calls it.
  static void count(std::int64_t macs) {
    if (detail::recording != nullptr) [[unlikely]]
      add(macs);
  }

 private:
  static void begin(const char* name, std::initializer_list<const Tensor*> inputs);
  static void wrote(const Tensor& output);
  static void end();
  static void add(std::int64_t macs);

  bool recorded_;
};

inline const Tensor* given(const std::optional<Tensor>& tensor) { return tensor ? &*tensor : nullptr; }

}  // namespace nunchi::ops
