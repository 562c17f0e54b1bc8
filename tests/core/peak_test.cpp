#include "core/peak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/peak_kernels.h"

namespace nunchi {
namespace {

// The registers hold what the counted operations make: none is left out, none is counted twice.
void check_sums(const PeakKernels& kernels, const CpuInfo& cpu, bool bf16, bool int8) {
  constexpr std::int64_t rounds = 7;
  constexpr double start = 2;
  SCOPED_TRACE(cpu.brand);
  EXPECT_DOUBLE_EQ(kernels.fp32.run(rounds, start), kernels.fp32.operations / 2 * start * (2 - std::pow(0.5, rounds)));
  if (bf16) {
    const auto& kernel = kernels.bf16;
    EXPECT_EQ(kernel.run(rounds, start) - kernel.run(0, start), rounds * kernel.operations / 2 * start * start);
  }
  if (int8) {
    const auto& kernel = kernels.int8;
    EXPECT_EQ(kernel.run(rounds, start) - kernel.run(0, start), rounds * kernel.operations / 2 * start * -3);
  }
}

TEST(PeakKernels, DoWhatIsCounted) {
  const auto& cpu = cpu_info();
  check_sums(portable::peak_kernels(), cpu, false, false);
#ifdef __x86_64__
  if (isa_supported(Isa::avx2, cpu)) check_sums(avx2::peak_kernels(), cpu, false, cpu.avx_vnni);
  if (isa_supported(Isa::avx512, cpu)) check_sums(avx512::peak_kernels(), cpu, cpu.avx512_bf16, cpu.avx512_vnni);
#endif
}

// No core starts more than four vector instructions in a cycle, nor does it run at 8 GHz: a loop that was left out
// would seem to.
TEST(Peak, IsWithinWhatAProcessorCanDo) {
  const std::pair<Isa, int> lanes_of[] = {{Isa::portable, 4}, {Isa::avx2, 8}, {Isa::avx512, 16}};
  for (const auto& [isa, lanes] : lanes_of) {
    if (!isa_supported(isa, cpu_info())) continue;
    const Peak peak = measure_peak({.threads = 1, .seconds = 0.05, .isa = isa});
    const double most = 4 * 8e9 * 2 * lanes;
    EXPECT_GT(peak.fp32, 1e8) << isa_name(isa);
    EXPECT_LT(peak.fp32, most) << isa_name(isa);
    EXPECT_LT(peak.bf16, 2 * most) << isa_name(isa);
    EXPECT_LT(peak.int8, 4 * most) << isa_name(isa);
  }
}

bool has_bf16_product(const CpuInfo& cpu) { return isa_supported(Isa::avx512, cpu) && cpu.avx512_bf16; }

bool has_int8_product(const CpuInfo& cpu) {
  return isa_supported(Isa::avx512, cpu) ? cpu.avx512_vnni : isa_supported(Isa::avx2, cpu) && cpu.avx_vnni;
}

TEST(Peak, OfAnInstructionThatIsThereIsSome) {
  const Peak peak = measure_peak({.threads = 1, .seconds = 0.05});
  EXPECT_EQ(peak.bf16 > 0, has_bf16_product(cpu_info()));
  EXPECT_EQ(peak.int8 > 0, has_int8_product(cpu_info()));
}

// Four times as many products an instruction as in fp32; a loop that keeps its sums in memory has not even twice.
TEST(Peak, OfInt8IsThatOfRegisters) {
  double best = 0;
  for (int i = 0; i < 5 && best < 2.5; ++i) {  // others may be busy at one time
    const Peak peak = measure_peak({.threads = 1, .seconds = 0.1});
    best = std::max(best, peak.int8 / peak.fp32);
  }
  if (has_int8_product(cpu_info()))
    EXPECT_GT(best, 2.5);
  else
    EXPECT_EQ(best, 0);
}

TEST(Peak, OfPortableLoopsIsInFp32Alone) {
  const Peak peak = measure_peak({.threads = 2, .seconds = 0.02, .isa = Isa::portable});
  EXPECT_GT(peak.fp32, 0);
  EXPECT_EQ(peak.bf16, 0);
  EXPECT_EQ(peak.int8, 0);
}

}  // namespace
}  // namespace nunchi
