#ifdef __AVX512BF16__
#define NUNCHI_ISA_NAMESPACE avx512_bf16
#define NUNCHI_LANES 16
#include "ops/attention_loops.h"
#include "ops/code_loops.h"
#include "ops/depthwise_loops.h"
#include "ops/norm_loops.h"
#endif
