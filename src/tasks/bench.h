// tasks/bench.h: how fast a model is at one precision and batch, measured alone in a process of its own.
//
//   const BenchResult result = bench({.path = "vit-base"}, {.precision = nn::Precision::bf16, .batch = 8}, {});
//   result.at(0.5);   // seconds of the median call
#pragma once

#include "tasks/vision_model.h"

namespace nunchi::tasks {

struct BenchCase {
  nn::Precision precision = nn::Precision::fp32;
  std::int64_t batch = 1;
};

struct BenchOptions {
  double seconds = 3;         // calls are repeated for so long,
  std::int64_t least = 10;    // but so many are made at least
  std::int64_t warm_ups = 2;  // beside the first call, which is told apart
};

struct BenchResult {
  std::string error;  // empty: it was measured
  double load_seconds = 0;
  double first_seconds = 0;       // of the first call, which makes what later ones have
  std::vector<double> seconds;    // of every further call, sorted
  std::uint64_t peak_memory = 0;  // of the process, LibTorch included
  bool stopped = false;           // by the user

  double at(double share) const;  // 0.95: what 95 % of the calls do not exceed (nearest rank); 0 without calls
};

// The network alone, on random pixels of the size that it takes. Forks (core/child_process.h): call it before anything
// of LibTorch has run in this process. What a model cannot do is in `error`.
BenchResult bench(const ModelSource& source, const BenchCase& what, const BenchOptions& options);

}  // namespace nunchi::tasks
