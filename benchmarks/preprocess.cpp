// Pictures a second on one core: decode, resize, crop, normalise. Run in turns with the peers by preprocess_peers.py.
//
//   bench_preprocess [--repeat N] [--config preprocessor_config.json] [--torchvision] [--checksum] FILE...
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "core/file.h"
#include "image/decode.h"
#include "image/transform.h"

using namespace nunchi;
using namespace nunchi::image;

namespace {

struct Options {
  int repeat = 5;
  bool torchvision = false, checksum = false;
  std::string config;
  std::vector<std::string> files;
};

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--torchvision") {
      options.torchvision = true;
    } else if (argument == "--checksum") {
      options.checksum = true;
    } else if (argument == "--repeat" && i + 1 < count) {
      options.repeat = std::atoi(arguments[++i]);
    } else if (argument == "--config" && i + 1 < count) {
      options.config = arguments[++i];
    } else {
      options.files.push_back(argument);
    }
  }
  return options;
}

// The ImageNet recipe: shortest side to 256, crop 224, mean and std 0.5.
Transform transform_of(const Options& options) {
  const Json named =
      options.config.empty() ? Json{{"image_processor_type", "MobileNetV2ImageProcessor"}} : read_json(options.config);
  const Transform transform = transform_from_preprocessor_config(named, Json::object());
  return options.torchvision ? on_torchvision(transform) : transform;
}

// Exact over any order of summation: the values are summed as whole multiples of 2^-20.
std::int64_t checksum(const PixelValues& pixels) {
  std::int64_t sum = 0;
  std::int64_t place = 1;
  for (const float value : pixels.values) {
    sum += static_cast<std::int64_t>(static_cast<double>(value) * 1048576.0) * place;
    place = place % 1009 + 1;
  }
  return sum;
}

struct Pass {
  double decode = 0, all = 0;  // seconds
  std::int64_t checksum = 0;
};

// Of this thread's processor time, so that other work on the machine does not count.
double seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Pass run(const Options& options, const Transform& transform, const std::vector<std::string>& contents) {
  Pass pass;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const double start = seconds();
    const Picture picture = decode(std::as_bytes(std::span(contents[i])), options.files[i],
                                   {.apply_exif_orientation = transform.apply_exif_orientation});
    const double decoded = seconds();
    const PixelValues pixels = apply(transform, picture);
    pass.all += seconds() - start;
    pass.decode += decoded - start;
    if (options.checksum) pass.checksum += checksum(pixels);
  }
  return pass;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse(count, arguments);
  const Transform transform = transform_of(options);
  std::vector<std::string> contents;
  for (const std::string& file : options.files) contents.push_back(read_file(file, std::uint64_t{1} << 30));
  Pass best = run(options, transform, contents);
  for (int i = 1; i < options.repeat; ++i) {
    const Pass pass = run(options, transform, contents);
    if (pass.all < best.all) best = pass;
  }
  const double pictures = static_cast<double>(contents.size());
  fmt::print("nunchi: {:.1f} pictures/s, decode {:.2f} ms, the rest {:.2f} ms\n", pictures / best.all,
             1e3 * best.decode / pictures, 1e3 * (best.all - best.decode) / pictures);
  if (options.checksum) fmt::print("checksum {}\n", best.checksum);
}
