// data/loader.h: batches of pixels and labels, made by worker threads ahead of the training that reads them.
//
//   Loader loader(dataset, split.train, [&](const image::Picture& picture, Random& random, std::span<float> out) {
//     augmentation.apply(picture, random, out);
//   }, {.batch = 128, .seed = 7, .shape = {3, 32, 32}});
//   loader.start(epoch);                                  // or start(epoch, first_batch) in the middle of one
//   while (auto batch = loader.next()) step(batch->pixels, batch->labels);
//
// What batch k of an epoch holds depends on (indices, batch, seed, epoch) and on nothing else: not on the number of
// workers, not on timing, not on where the epoch was started. A sample's own chance is Random(seed, epoch, index).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/random.h"

namespace nunchi::data {

// Writes LoaderOptions::shape numbers. Called by several threads at once. An Error (input) counts as a broken picture.
using PixelSource = std::function<void(const image::Picture& picture, Random& random, std::span<float> out)>;

struct LoaderOptions {
  std::size_t batch = 128;
  int workers = 2;           // 0: next() does the work
  std::size_t prefetch = 4;  // batches that may be finished or in work before they are asked for, at least 1
  std::uint64_t seed = 0;
  bool shuffle = true;
  bool drop_last = true;                              // an incomplete batch at the end
  std::array<std::int64_t, 3> shape{};                // channels, height, width
  image::DecodeOptions decode;                        // as the checkpoint's transform says
  bool keep_decoded = false;                          // pictures stay in memory as bytes after they were decoded once
  std::uint64_t keep_bytes = std::uint64_t{2} << 30;  // of those, in all; later pictures are decoded each time
};

// A picture that could not be read.
struct Failure {
  std::size_t index = 0;  // in Dataset::samples
  std::string message;    // names it
};

struct Batch {
  std::vector<float> pixels;         // [b, c, h, w]
  std::vector<std::int64_t> labels;  // [b]
  std::vector<std::size_t> indices;  // [b], in Dataset::samples
  std::vector<Failure> failures;     // left out of the above: b may be smaller than LoaderOptions::batch, even 0

  std::size_t size() const { return labels.size(); }
};

class Loader {
 public:
  // `dataset` must outlive the loader. Throws Error (usage) where the options or the number of pictures make no batch.
  Loader(const Dataset& dataset, std::vector<std::size_t> indices, PixelSource source, const LoaderOptions& options);
  ~Loader();  // at once, whatever is in work
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::size_t batches() const;  // of an epoch

  // From here on next() gives the batches of this epoch; what was in work is dropped.
  void start(std::uint64_t epoch, std::size_t first_batch = 0);

  // The next batch, or nothing at the end of the epoch (and before the first start). What a worker threw, other than an
  // Error (input), is thrown here, and the epoch is at its end. For one thread at a time.
  std::optional<Batch> next();

 private:
  class Workers;
  std::unique_ptr<Workers> workers_;
};

struct Split {
  std::vector<std::size_t> train, validation;  // indices into Dataset::samples, ascending
};

// The same fraction of every class, rounded to whole pictures. `validation_fraction` is in [0, 1); throws Error
// (usage).
Split split_samples(const Dataset& dataset, double validation_fraction, std::uint64_t seed);

}  // namespace nunchi::data
