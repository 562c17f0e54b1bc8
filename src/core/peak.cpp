#include "core/peak.h"

#include <algorithm>
#include <latch>
#include <thread>
#include <vector>

#include "core/assert.h"
#include "core/peak_kernels.h"
#include "core/timing.h"

namespace nunchi {
namespace {

constexpr int repetitions = 20;

// What this processor can run of them.
PeakKernels kernels_of(Isa isa, const CpuInfo& cpu) {
  PeakKernels kernels = portable::peak_kernels();
#ifdef __x86_64__
  if (isa == Isa::avx2) {
    kernels = avx2::peak_kernels();
    if (!cpu.avx_vnni) kernels.int8 = {};
  }
  if (isa >= Isa::avx512) {
    kernels = avx512::peak_kernels();
    if (!cpu.avx512_bf16) kernels.bf16 = {};
    if (!cpu.avx512_vnni) kernels.int8 = {};
  }
#else
  static_cast<void>(isa), static_cast<void>(cpu);
#endif
  return kernels;
}

struct Span {
  Clock::time_point begin, end;
};

Span timed(const PeakKernel& kernel, std::int64_t rounds) {
  static volatile double start = 1;  // what the compiler knows nothing about
  const double first = start;
  const auto begin = Clock::now();
  volatile const double result = kernel.run(rounds, first);
  static_cast<void>(result);
  return {begin, Clock::now()};
}

// The seconds from the first thread's begin to the last one's end.
double seconds_together(const PeakKernel& kernel, std::int64_t rounds, int threads) {
  std::vector<Span> spans(static_cast<std::size_t>(threads));
  std::latch start(threads);
  std::vector<std::jthread> team;
  for (auto& span : spans) {
    team.emplace_back([&] {
      start.arrive_and_wait();
      span = timed(kernel, rounds);
    });
  }
  team.clear();  // joins
  const auto begin = std::ranges::min(spans, {}, &Span::begin).begin;
  const auto end = std::ranges::max(spans, {}, &Span::end).end;
  return std::chrono::duration<double>(end - begin).count();
}

// So many rounds take about that long on one thread.
std::int64_t rounds_for(const PeakKernel& kernel, double seconds) {
  for (std::int64_t rounds = 1024;; rounds *= 2) {
    const Span span = timed(kernel, rounds);
    if (2 * std::chrono::duration<double>(span.end - span.begin).count() >= seconds) return 2 * rounds;
  }
}

double measure(const PeakKernel& kernel, const PeakOptions& options) {
  if (kernel.run == nullptr) return 0;
  const auto rounds = rounds_for(kernel, options.seconds / repetitions);
  const double operations = kernel.operations * static_cast<double>(rounds) * options.threads;
  double best = 0;
  for (int i = 0; i < repetitions; ++i)
    best = std::max(best, operations / seconds_together(kernel, rounds, options.threads));
  return best;
}

}  // namespace

Peak measure_peak(const PeakOptions& options) {
  const auto& cpu = cpu_info();
  const Isa isa = options.isa.value_or(choose_isa(std::nullopt, cpu));
  ASSERT(isa_supported(isa, cpu) && options.threads >= 1 && options.seconds > 0, "there is something to measure");
  const auto kernels = kernels_of(isa, cpu);
  return {measure(kernels.fp32, options), measure(kernels.bf16, options), measure(kernels.int8, options)};
}

bool has_matrix_unit(const CpuInfo& cpu) { return cpu.amx_bf16 || cpu.amx_int8; }

double Peak::of(std::string_view precision) const {
  if (precision == "fp32") return fp32;
  if (has_matrix_unit(cpu_info())) return 0;
  return precision == "bf16" ? bf16 : precision == "int8" ? int8 : 0;
}

}  // namespace nunchi
