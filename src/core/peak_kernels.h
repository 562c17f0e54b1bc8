// core/peak_kernels.h: the loops of measure_peak(), one namespace per instruction set.
#pragma once

#include <cstdint>

namespace nunchi {

struct PeakKernel {
  // The sum of all registers after so many rounds, each of which is x / 2 + start (fp32), x + start^2 + start^2 (bf16)
  // or x + 4 * start * -3 (int8). To be used, or a compiler could leave the loop out.
  double (*run)(std::int64_t rounds, double start);
  double operations;  // per round; 0 (and no function) where there is no such instruction
};

struct PeakKernels {
  PeakKernel fp32, bf16, int8;
};

namespace portable {
PeakKernels peak_kernels();
}  // namespace portable

namespace avx2 {
PeakKernels peak_kernels();  // int8 needs AVX_VNNI
}  // namespace avx2

namespace avx512 {
PeakKernels peak_kernels();  // int8 needs AVX512_VNNI, bf16 AVX512_BF16
}  // namespace avx512

}  // namespace nunchi
