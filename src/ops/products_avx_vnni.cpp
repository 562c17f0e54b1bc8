#ifdef __AVXVNNI__
#define NUNCHI_ISA_NAMESPACE avx_vnni
#define NUNCHI_LANES 8
#include "ops/product_loops.h"

const nunchi::ops::MultiplyCodes nunchi::ops::avx_vnni::multiply_codes = multiply_codes_here;
#endif
