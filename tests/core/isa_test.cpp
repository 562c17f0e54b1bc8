#include "core/isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>
#include <sstream>

#include "core/in_child.h"

namespace nunchi {
namespace {

using testing::HasSubstr;

CpuInfo cpu_with_avx2() {
  CpuInfo cpu;
  cpu.avx2 = cpu.fma = true;
  return cpu;
}

CpuInfo cpu_with_avx512() {
  CpuInfo cpu = cpu_with_avx2();
  cpu.avx512f = cpu.avx512bw = cpu.avx512vl = cpu.avx512dq = true;
  return cpu;
}

TEST(ChooseIsa, TakesTheBestOne) {
  EXPECT_EQ(choose_isa(std::nullopt, CpuInfo()), Isa::portable);
  EXPECT_EQ(choose_isa(std::nullopt, cpu_with_avx2()), Isa::avx2);
  EXPECT_EQ(choose_isa(std::nullopt, cpu_with_avx512()), Isa::avx512);
  EXPECT_EQ(choose_isa("", cpu_with_avx512()), Isa::avx512);
  CpuInfo cpu = cpu_with_avx512();
  cpu.avx512_bf16 = true;
  EXPECT_EQ(choose_isa(std::nullopt, cpu), Isa::avx512);
  cpu.avx512_vnni = true;
  EXPECT_EQ(choose_isa(std::nullopt, cpu), Isa::avx512_bf16);
  EXPECT_EQ(choose_isa("avx512", cpu), Isa::avx512);
}

TEST(ChooseIsa, EveryPartOfAnInstructionSetIsNeeded) {
  for (bool CpuInfo::*part : {&CpuInfo::avx512f, &CpuInfo::avx512bw, &CpuInfo::avx512vl, &CpuInfo::avx512dq}) {
    CpuInfo cpu = cpu_with_avx512();
    cpu.*part = false;
    EXPECT_EQ(choose_isa(std::nullopt, cpu), Isa::avx2);
  }
  CpuInfo cpu = cpu_with_avx512();
  cpu.fma = false;
  EXPECT_EQ(choose_isa(std::nullopt, cpu), Isa::portable);
}

TEST(ChooseIsa, CanBeForced) {
  EXPECT_EQ(choose_isa("portable", cpu_with_avx512()), Isa::portable);
  EXPECT_EQ(choose_isa("avx2", cpu_with_avx512()), Isa::avx2);
}

TEST(ChooseIsa, UnknownAndUnsupportedOnesAreUsageErrors) {
  for (const auto* name : {"avx512", "AVX2", "neon", "fast"}) {
    try {
      choose_isa(name, cpu_with_avx2());
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.what(), HasSubstr("NUNCHI_ISA: expected one of portable, avx2 "));
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
}

TEST(ChosenIsa, ReadsTheEnvironment) {
  const auto end = in_child([] {
    setenv("NUNCHI_ISA", "nonsense", 1);
    if (error_of([] { chosen_isa(); }).empty()) return 1;
    setenv("NUNCHI_ISA", "portable", 1);
    return chosen_isa() == Isa::portable ? 0 : 2;
  });
  EXPECT_EQ(end.exit_code, 0);
}

TEST(CpuInfo, AgreesWithTheKernel) {
  std::ifstream file("/proc/cpuinfo");
  std::stringstream text;
  text << file.rdbuf();
  const auto kernel_says = [&](const std::string& flag) {
    return text.str().find(" " + flag + " ") != std::string::npos;
  };
  const CpuInfo& cpu = cpu_info();
  if (text.str().find("\nflags") == std::string::npos) GTEST_SKIP() << "this kernel lists no flags";
  EXPECT_EQ(cpu.avx2, kernel_says("avx2"));
  EXPECT_EQ(cpu.fma, kernel_says("fma"));
  EXPECT_EQ(cpu.avx512bw, kernel_says("avx512bw"));
  EXPECT_EQ(cpu.avx512_vnni, kernel_says("avx512_vnni"));
  EXPECT_EQ(cpu.avx512_bf16, kernel_says("avx512_bf16"));
  EXPECT_EQ(cpu.avx_vnni, kernel_says("avx_vnni"));
  EXPECT_EQ(cpu.amx_tile, kernel_says("amx_tile"));
  EXPECT_THAT(text.str(), HasSubstr(cpu.brand.substr(0, cpu.brand.find_last_not_of(' ') + 1)));
}

TEST(CpuInfo, CountsOnlyTheCoresOfThisProcess) {
  EXPECT_GE(cpu_info().logical_cores, cpu_info().physical_cores);
  EXPECT_GE(cpu_info().physical_cores, 1);
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  EXPECT_LE(cpu_info().logical_cores, CPU_COUNT(&set));
}

TEST(CpuInfo, NamesWhatIsThere) {
  EXPECT_THAT(cpu_with_avx2().names(), testing::ElementsAre("avx2", "fma"));
  EXPECT_TRUE(CpuInfo().names().empty());
}

TEST(MemoryInfo, IsPlausible) {
  const MemoryInfo memory = memory_info();
  EXPECT_GT(memory.total, 100u << 20);
  EXPECT_GT(memory.available, 0u);
  EXPECT_LE(memory.available, memory.total);
}

}  // namespace
}  // namespace nunchi
