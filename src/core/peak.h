// core/peak.h: how many operations a second this processor can do at most, measured and not looked up.
//
//   const Peak peak = measure_peak({.threads = 2});
//   peak.fp32 / 1e9;   // GFLOP/s of fused multiply-adds
//
// Independent sums that stay in registers, as many as hide the latency of an instruction: no memory is touched, so
// nothing that computes in the same precision on the same threads does more. A multiply-add counts as two operations.
#pragma once

#include <optional>
#include <string_view>

#include "core/isa.h"

namespace nunchi {

// Operations per second, of all threads together; 0 where the processor has no instruction for it.
struct Peak {
  double fp32 = 0;
  double bf16 = 0;  // products of pairs summed in fp32: AVX512_BF16
  double int8 = 0;  // u8 times s8, summed in 32 bits: AVX512_VNNI, AVX_VNNI

  // Of "fp32", "bf16" or "int8"; 0 where it is not known: of another, or where a matrix unit does more on top.
  double of(std::string_view precision) const;
};

struct PeakOptions {
  int threads = 1;
  double seconds = 0.2;         // for each precision: the best of several repetitions, that a busy moment costs nothing
  std::optional<Isa> isa = {};  // without: the best that the processor has
};

// Matrix units (AMX) are not measured: see has_matrix_unit(). Asserts that the instruction set is supported.
Peak measure_peak(const PeakOptions& options);

// Whether libraries may do bf16 and int8 on a unit that measure_peak() does not reach, and so exceed its figures.
bool has_matrix_unit(const CpuInfo& cpu);

}  // namespace nunchi
