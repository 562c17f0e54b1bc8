// Pictures a second from a dataset to batches of pixels: crop with padding, flip, RandAugment, normalise. Run in turns
// with torch's DataLoader by loader_peers.py.
//
//   bench_loader [--workers N] [--keep] [--pictures N] [--checksum] DATASET
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <string>

#include "data/augment.h"
#include "data/loader.h"

using namespace nunchi;
using namespace nunchi::data;

namespace {

struct Options {
  int workers = 1;
  bool keep = false, checksum = false;
  std::size_t pictures = 20'000;
  std::string dataset;
};

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--keep") {
      options.keep = true;
    } else if (argument == "--checksum") {
      options.checksum = true;
    } else if (argument == "--workers" && i + 1 < count) {
      options.workers = std::atoi(arguments[++i]);
    } else if (argument == "--pictures" && i + 1 < count) {
      options.pictures = static_cast<std::size_t>(std::atoll(arguments[++i]));
    } else {
      options.dataset = argument;
    }
  }
  return options;
}

AugmentOptions recipe(bool random) {
  AugmentOptions options{.size = {32, 32}, .mean = {0.4914, 0.4822, 0.4465}, .std = {0.247, 0.2435, 0.2616}};
  if (!random) return options;
  options.random_crop = RandomCrop{.padding = 4};
  options.flip = 0.5;
  options.rand_augment = RandAugment{};
  return options;
}

// Exact over any order of summation: the values are summed as whole multiples of 2^-20.
std::int64_t checksum(const Batch& batch) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < batch.pixels.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i % 3072 % 1009 + 1);
    sum += static_cast<std::int64_t>(static_cast<double>(batch.pixels[i]) * 1048576.0) * place;
  }
  return sum;
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Pass {
  std::size_t pictures = 0;
  std::int64_t checksum = 0;
};

Pass run(Loader& loader, std::uint64_t epoch, bool sums) {
  Pass pass;
  loader.start(epoch);
  while (const auto batch = loader.next()) {
    pass.pictures += batch->size();
    if (sums) pass.checksum += checksum(*batch);
  }
  return pass;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  const Dataset dataset = open_dataset(options.dataset, {.split = "train"});
  std::vector<std::size_t> indices(std::min(options.pictures, dataset.samples.size()));
  const std::size_t step = dataset.samples.size() / indices.size();  // of every class
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i * step;
  const Augmentation augmentation(recipe(!options.checksum));
  const auto source = [&](const image::Picture& picture, Random& random, std::span<float> out) {
    augmentation.apply(picture, random, out);
  };
  Loader loader(dataset, indices, source,
                {.batch = 128,
                 .workers = options.workers,
                 .shuffle = !options.checksum,
                 .shape = {3, 32, 32},
                 .keep_decoded = options.keep});
  if (options.checksum) {
    fmt::print("checksum {}\n", run(loader, 0, true).checksum);
    return 0;
  }
  run(loader, 0, false);  // reads the file, and decodes what is kept
  const double processor = processor_seconds();
  const auto start = std::chrono::steady_clock::now();
  const Pass pass = run(loader, 1, false);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const auto pictures = static_cast<double>(pass.pictures);
  fmt::print("nunchi: {:.0f} pictures/s, {:.0f} per second of processor time\n", pictures / wall.count(),
             pictures / (processor_seconds() - processor));
}
