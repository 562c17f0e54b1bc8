#ifdef __AVX512VNNI__
#define NUNCHI_ISA_NAMESPACE avx512_vnni
#define NUNCHI_LANES 16
#include "ops/product_loops.h"

const nunchi::ops::MultiplyCodes nunchi::ops::avx512_vnni::multiply_codes = multiply_codes_here;
#endif
