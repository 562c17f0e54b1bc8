// explain/work.h: how methods that need many forwards go about it.
#pragma once

#include <functional>

#include "explain/subject.h"

namespace nunchi::explain {

struct Work {
  std::int64_t batch = 8;  // pictures in one forward
  std::uint64_t seed = 0;
  std::function<void(std::int64_t done, std::int64_t total)> on_progress = [](std::int64_t, std::int64_t) {};
};

// Calls step(begin, end) for all parts of `count`, a batch at most in each. Throws Error (interrupted) between them.
void in_batches(std::int64_t count, const Work& work,
                const std::function<void(std::int64_t begin, std::int64_t end)>& step);

// Of pictures [b, 3, h, w], made a batch at a time: the target's score of each, [count].
Tensor scores_of(const Subject& subject, const Target& target, std::int64_t count, const Work& work,
                 const std::function<Tensor(std::int64_t begin, std::int64_t end)>& make);

// A map [rows, columns] over the picture, [h, w]: bilinear between the middles of its places.
Tensor over_picture(const Tensor& map, nn::Grid image);

}  // namespace nunchi::explain
