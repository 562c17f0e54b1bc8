#include "core/isa.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "core/assert.h"
#include "core/error.h"
#include "core/log.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace nunchi {
namespace {

constexpr std::array all_isas{Isa::portable, Isa::avx2, Isa::avx512, Isa::avx512_bf16};

#if defined(__x86_64__)

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

// Which registers the operating system saves; an instruction set without them must not be used.
unsigned saved_registers(const Registers& leaf1) {
  if ((leaf1.ecx & bit_OSXSAVE) == 0) return 0;
  unsigned low = 0;
  unsigned high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

std::string brand_of_cpuid() {
  std::array<char, 49> text{};
  for (unsigned i = 0; i < 3; ++i) {
    const Registers r = cpuid(0x80000002 + i);
    std::memcpy(text.data() + std::size_t{16} * i, &r, 16);
  }
  return text.data();
}

// Bit numbers: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID.
void read_features(CpuInfo& cpu) {
  const auto bit = [](unsigned word, int n) { return ((word >> n) & 1u) != 0; };
  const Registers leaf1 = cpuid(1);
  const Registers leaf7 = cpuid(7);
  const Registers leaf7_1 = leaf7.eax >= 1 ? cpuid(7, 1) : Registers{};
  const unsigned saved = saved_registers(leaf1);
  const bool ymm = (saved & 0x6) == 0x6;
  const bool zmm = (saved & 0xe6) == 0xe6;
  const bool tiles = (saved & 0x60000) == 0x60000;
  cpu.brand = brand_of_cpuid();
  cpu.sse4_1 = bit(leaf1.ecx, 19);
  cpu.avx2 = ymm && bit(leaf7.ebx, 5);
  cpu.fma = ymm && bit(leaf1.ecx, 12);
  cpu.f16c = ymm && bit(leaf1.ecx, 29);
  cpu.avx_vnni = ymm && bit(leaf7_1.eax, 4);
  cpu.avx512f = zmm && bit(leaf7.ebx, 16);
  cpu.avx512dq = zmm && bit(leaf7.ebx, 17);
  cpu.avx512bw = zmm && bit(leaf7.ebx, 30);
  cpu.avx512vl = zmm && bit(leaf7.ebx, 31);
  cpu.avx512_vnni = zmm && bit(leaf7.ecx, 11);
  cpu.avx512_bf16 = zmm && bit(leaf7_1.eax, 5);
  cpu.avx512_fp16 = zmm && bit(leaf7.edx, 23);
  cpu.amx_bf16 = tiles && bit(leaf7.edx, 22);
  cpu.amx_tile = tiles && bit(leaf7.edx, 24);
  cpu.amx_int8 = tiles && bit(leaf7.edx, 25);
}

#elif defined(__aarch64__)

void read_features(CpuInfo& cpu) {
  const unsigned long first = getauxval(AT_HWCAP);
  const unsigned long second = getauxval(AT_HWCAP2);
  cpu.neon = (first & HWCAP_ASIMD) != 0;
  cpu.neon_dotprod = (first & HWCAP_ASIMDDP) != 0;
  cpu.neon_bf16 = (second & HWCAP2_BF16) != 0;
  cpu.sve = (first & HWCAP_SVE) != 0;
}

#else

void read_features(CpuInfo&) {}

#endif

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value of a "key : value" line, empty where there is none.
std::string field_of(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const auto start = line.find_first_not_of(" \t", line.find(':') + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

// Numbers of the processors that the scheduler gives to this process; empty where it does not say.
std::vector<int> allowed_processors() {
  constexpr int most = 8192;
  cpu_set_t* set = CPU_ALLOC(most);
  const std::size_t size = CPU_ALLOC_SIZE(most);
  std::vector<int> processors;
  if (sched_getaffinity(0, size, set) == 0) {
    for (int i = 0; i < most; ++i) {
      if (CPU_ISSET_S(static_cast<std::size_t>(i), size, set)) processors.push_back(i);
    }
  }
  CPU_FREE(set);
  return processors;
}

int count_physical(const std::vector<int>& processors) {
  std::set<std::pair<std::string, std::string>> cores;
  for (const int i : processors) {
    const auto topology = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", i);
    cores.emplace(first_line(topology + "physical_package_id"), first_line(topology + "core_id"));
  }
  const bool unknown = cores.empty() || cores.begin()->second.empty();
  return static_cast<int>(unknown ? processors.size() : cores.size());
}

// Containers limit processor time, not the number of processors: "200000 100000" is two.
std::optional<int> container_cores() {
  std::istringstream line(first_line("/sys/fs/cgroup/cpu.max"));
  double quota = 0;
  double period = 0;
  if (!(line >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return std::max(1, static_cast<int>(std::lround(std::ceil(quota / period))));
}

CpuInfo read_cpu_info() {
  CpuInfo cpu;
  read_features(cpu);
  if (cpu.brand.empty()) cpu.brand = field_of("/proc/cpuinfo", "model name");
  const std::vector<int> processors = allowed_processors();
  cpu.logical_cores = processors.empty() ? static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))
                                         : static_cast<int>(processors.size());
  cpu.physical_cores = processors.empty() ? cpu.logical_cores : count_physical(processors);
  const int most = container_cores().value_or(cpu.logical_cores);
  cpu.logical_cores = std::min(cpu.logical_cores, most);
  cpu.physical_cores = std::min(cpu.physical_cores, most);
  return cpu;
}

std::uint64_t meminfo_bytes(std::string_view key) {
  return std::strtoull(field_of("/proc/meminfo", key).c_str(), nullptr, 10) * 1024;
}

std::string known_isas(const CpuInfo& cpu) {
  std::vector<std::string_view> names;
  for (const Isa isa : all_isas) {
    if (isa_supported(isa, cpu)) names.push_back(isa_name(isa));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::vector<std::string> CpuInfo::names() const {
  const std::array<std::pair<bool, const char*>, 19> all{{
      {sse4_1, "sse4.1"},
      {avx2, "avx2"},
      {fma, "fma"},
      {f16c, "f16c"},
      {avx_vnni, "avx_vnni"},
      {avx512f, "avx512f"},
      {avx512bw, "avx512bw"},
      {avx512vl, "avx512vl"},
      {avx512dq, "avx512dq"},
      {avx512_vnni, "avx512_vnni"},
      {avx512_bf16, "avx512_bf16"},
      {avx512_fp16, "avx512_fp16"},
      {amx_tile, "amx_tile"},
      {amx_int8, "amx_int8"},
      {amx_bf16, "amx_bf16"},
      {neon, "neon"},
      {neon_dotprod, "dotprod"},
      {neon_bf16, "bf16"},
      {sve, "sve"},
  }};
  std::vector<std::string> present;
  for (const auto& [there, name] : all) {
    if (there) present.emplace_back(name);
  }
  return present;
}

const CpuInfo& cpu_info() {
  static const CpuInfo info = read_cpu_info();
  return info;
}

MemoryInfo memory_info() {
  MemoryInfo memory{.total = meminfo_bytes("MemTotal"), .available = meminfo_bytes("MemAvailable")};
  const auto limit = std::strtoull(first_line("/sys/fs/cgroup/memory.max").c_str(), nullptr, 10);  // "max" gives 0
  if (limit == 0 || limit >= memory.total) return memory;
  const auto used = std::strtoull(first_line("/sys/fs/cgroup/memory.current").c_str(), nullptr, 10);
  memory.total = limit;
  memory.available = std::min<std::uint64_t>(memory.available, limit - std::min(used, limit));
  return memory;
}

std::string_view isa_name(Isa isa) {
  constexpr std::array<std::string_view, all_isas.size()> names{"portable", "avx2", "avx512", "avx512_bf16"};
  return names.at(static_cast<std::size_t>(isa));
}

bool isa_supported(Isa isa, const CpuInfo& cpu) {
  const bool avx2 = cpu.avx2 && cpu.fma;
  const bool avx512 = avx2 && cpu.avx512f && cpu.avx512bw && cpu.avx512vl && cpu.avx512dq;
  switch (isa) {
    case Isa::portable:
      return true;
    case Isa::avx2:
      return avx2;
    case Isa::avx512:
      return avx512;
    case Isa::avx512_bf16:
      return avx512 && cpu.avx512_bf16 && cpu.avx512_vnni;
  }
  ASSERT(false, "every instruction set has its case");
}

Isa choose_isa(const std::optional<std::string>& forced, const CpuInfo& cpu) {
  if (!forced || forced->empty()) {
    return *std::find_if(all_isas.rbegin(), all_isas.rend(), [&](Isa isa) { return isa_supported(isa, cpu); });
  }
  for (const Isa isa : all_isas) {
    if (isa_name(isa) == *forced && isa_supported(isa, cpu)) return isa;
  }
  throw Error(ErrorKind::usage, fmt::format("NUNCHI_ISA: expected one of {} (what this processor can do), found \"{}\"",
                                            known_isas(cpu), *forced));
}

Isa chosen_isa() {
  static const Isa isa = [] {
    const char* forced = std::getenv("NUNCHI_ISA");
    const Isa chosen = choose_isa(forced ? std::optional<std::string>(forced) : std::nullopt, cpu_info());
    log(LogLevel::debug, fmt::format("instruction set: {}{}", isa_name(chosen), forced ? " (NUNCHI_ISA)" : ""));
    return chosen;
  }();
  return isa;
}

}  // namespace nunchi
