#ifdef __AVXVNNI__
#define NUNCHI_ISA_NAMESPACE avx_vnni
#define NUNCHI_LANES 8
#include "ops/product_loops.h"

const nunchi::ops::Multiply<std::uint8_t> nunchi::ops::avx_vnni::multiply_codes = multiply_all<std::uint8_t>;
#endif
