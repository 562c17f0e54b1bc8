// ops/bf16_bits.h: bfloat16 for kernels, which know nothing of LibTorch: the linker might keep an inline function as it
// was compiled for one instruction set for everybody.
#pragma once

#include <cstdint>

namespace nunchi::ops {

using Bf16Bits = std::uint16_t;

}  // namespace nunchi::ops
