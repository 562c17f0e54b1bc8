#define NUNCHI_ISA_NAMESPACE portable
#define NUNCHI_LANES 4
#include "ops/attention_loops.h"
#include "ops/code_loops.h"
#include "ops/depthwise_loops.h"
#include "ops/norm_loops.h"
