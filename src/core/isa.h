// core/isa.h: what this processor and machine can do, and the one place that chooses the instruction set.
//
//   const CpuInfo& cpu = cpu_info();                 // cpu.brand, cpu.avx512_vnni, cpu.names()
//   NUNCHI_OF_CHOSEN_ISA(kernels).multiply(a, b);    // portable::kernels, avx2::kernels or avx512::kernels,
//   NUNCHI_OF_CHOSEN_ISA_OR_BF16(kernels)            // or avx512_bf16::kernels
//   NUNCHI_ISA=portable nunchi ...                   // forces one, to test it or to rule it out
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nunchi {

// Instruction sets that both the processor and the operating system support.
struct CpuInfo {
  std::string brand;
  int logical_cores = 1;   // that this process may use: scheduling affinity and container quota are respected
  int physical_cores = 1;  // the same without hyper-threads
  bool sse4_1 = false, avx2 = false, fma = false, f16c = false;
  bool avx512f = false, avx512bw = false, avx512vl = false, avx512dq = false;
  bool avx512_vnni = false, avx512_bf16 = false, avx512_fp16 = false, avx_vnni = false;
  bool amx_tile = false, amx_int8 = false, amx_bf16 = false;
  bool neon = false, neon_dotprod = false, neon_bf16 = false, sve = false;

  std::vector<std::string> names() const;  // of what is there: {"avx2", "fma", ...}
};

// Read once, thread-safe.
const CpuInfo& cpu_info();

struct MemoryInfo {
  std::uint64_t total = 0;      // bytes; the container's limit where it is lower than the machine's memory
  std::uint64_t available = 0;  // bytes that can be taken without swapping
};
MemoryInfo memory_info();

// avx2 means AVX2 and FMA; avx512 means F, BW, VL and DQ, beside avx2; avx512_bf16 means BF16 and VNNI, beside avx512.
enum class Isa { portable, avx2, avx512, avx512_bf16 };

std::string_view isa_name(Isa isa);
bool isa_supported(Isa isa, const CpuInfo& cpu);

// The best supported one, or the one that `forced` names. Throws Error (usage) where that is unknown or unsupported.
Isa choose_isa(const std::optional<std::string>& forced, const CpuInfo& cpu);

// choose_isa() of the environment variable NUNCHI_ISA and this processor, done once and logged.
Isa chosen_isa();

// What has this name in the namespace of the chosen instruction set.
#ifdef __x86_64__
#define NUNCHI_OF_CHOSEN_ISA(name) \
  (chosen_isa() >= Isa::avx512 ? avx512::name : chosen_isa() == Isa::avx2 ? avx2::name : portable::name)
#define NUNCHI_OF_CHOSEN_ISA_OR_BF16(name) \
  (chosen_isa() == Isa::avx512_bf16 ? avx512_bf16::name : NUNCHI_OF_CHOSEN_ISA(name))
#else
#define NUNCHI_OF_CHOSEN_ISA(name) portable::name
#define NUNCHI_OF_CHOSEN_ISA_OR_BF16(name) portable::name
#endif

}  // namespace nunchi
