// benchmarks/latency.cpp: one model on one size of batch, in this process: load, first call, steady latency, memory.
//
//   bench_latency MODEL [fp32|bf16] [batch] [runs] [pixels.f32]
//
// Prints one line of JSON. With a file of raw float32 pixels [batch, 3, h, w] it answers for those and prints the
// logits' sum and largest class, so that a runner can check the answer before the time counts.
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "core/memory.h"
#include "tasks/vision_model.h"

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

long resident_kib(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stol(line.substr(line.find(':') + 1));
  }
  return 0;
}

at::Tensor read_pixels(const nunchi::Shape& shape, const char* path) {
  at::Tensor pixels = at::empty(shape, at::kFloat).fill_(0.25);
  if (path == nullptr) return pixels;
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(pixels.mutable_data_ptr()), static_cast<std::streamsize>(pixels.nbytes()));
  if (!file) throw std::runtime_error(fmt::format("{}: expected {} bytes", path, pixels.nbytes()));
  return pixels;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_latency MODEL [fp32|bf16] [batch] [runs] [pixels.f32]\n");
    return 2;
  }
  const std::string precision = argc > 2 ? argv[2] : "fp32";
  const int batch = argc > 3 ? std::stoi(argv[3]) : 1, runs = argc > 4 ? std::stoi(argv[4]) : 30;

  auto start = Clock::now();
  const nunchi::tasks::VisionModel model({.path = argv[1]}, nunchi::tasks::precision_from_name(precision));
  const double load = milliseconds_since(start);
  nunchi::keep_freed_memory();  // as the program does
  auto shape = model.network().input_shape();
  shape.insert(shape.begin(), batch);
  const auto pixels = read_pixels(shape, argc > 5 ? argv[5] : nullptr);

  start = Clock::now();
  auto output = model.forward(pixels);
  const double first = milliseconds_since(start);
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    start = Clock::now();
    output = model.forward(pixels);
    times.push_back(milliseconds_since(start));
  }
  std::sort(times.begin(), times.end());
  const auto answer = output.logits.defined() ? output.logits : output.last_hidden_state;
  fmt::print(
      "{{\"load_ms\": {:.1f}, \"first_ms\": {:.1f}, \"min_ms\": {:.2f}, \"median_ms\": {:.2f}, \"rss_mib\": {}, "
      "\"peak_mib\": {}, "
      "\"sum\": {:.6f}, \"largest\": {}}}\n",
      load, first, times.front(), times[times.size() / 2], resident_kib("VmRSS") / 1024, resident_kib("VmHWM") / 1024,
      answer.sum().item<double>(), answer[0].argmax().item<std::int64_t>());
  return 0;
}
