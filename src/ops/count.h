// ops/count.h: counts the multiply-accumulates that ops perform, so that a model run on meta tensors (shapes without
// memory) tells its cost before a weight is read.
//
//   ops::MacCounter counter;
//   model.forward(meta_image);
//   fmt::print("{} MACs", counter.total());
#pragma once

#include <cstdint>

#include "core/one_thread.h"

namespace nunchi::ops {

// Counts on its thread while it lives; counters do not nest. One multiply-accumulate is two FLOPs.
class MacCounter {
 public:
  MacCounter();
  ~MacCounter();
  MacCounter(const MacCounter&) = delete;
  MacCounter& operator=(const MacCounter&) = delete;
  std::int64_t total() const;

 private:
  OneThread one_thread_;
};

// Of the op whose scope is open (ops/op_scope.h).
void count_macs(std::int64_t macs);

}  // namespace nunchi::ops
