// tasks/largest_batch.h: how many pictures at once fit into so much memory, by trying and not by guessing.
//
//   const auto found = find_largest_batch({.limit = 2'000'000'000}, [&](std::int64_t batch) { return memory_of(batch);
//   }); found.batch;   // 87: it was measured and fits; 88 was measured and does not
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace nunchi::tasks {

struct BatchTrial {
  std::int64_t batch = 0;
  std::optional<std::uint64_t> memory;  // bytes at its peak; nothing where it failed
};

struct BatchSearch {
  std::uint64_t limit = 0;  // bytes that may be used, this many included
  std::int64_t most = 256;  // no larger batch is tried
};

struct LargestBatch {
  std::int64_t batch = 0;          // 0: not even one picture fits
  std::vector<BatchTrial> trials;  // in the order in which they were made
};

// Tries 1 and 2, then where a line through the last two that fit meets the limit, but never eight times as much at once
// and halving what is left where the line leads nowhere: memory need not be linear. What is returned was tried and
// fits; the next batch was tried and does not fit, or is beyond `most`.
LargestBatch find_largest_batch(const BatchSearch& search,
                                const std::function<std::optional<std::uint64_t>(std::int64_t batch)>& memory_of);

}  // namespace nunchi::tasks
