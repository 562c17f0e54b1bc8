#ifdef __AVX2__
#define NUNCHI_ISA_NAMESPACE avx2
#define NUNCHI_LANES 8
#include "ops/attention_loops.h"
#include "ops/code_loops.h"
#include "ops/depthwise_loops.h"
#include "ops/norm_loops.h"
#endif
