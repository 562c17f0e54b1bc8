#include "formats/dtype.h"

#include <algorithm>
#include <array>

#include "core/assert.h"

namespace nunchi::formats {
namespace {

struct DtypeRow {
  Dtype dtype;
  std::string_view name;
  std::size_t bits;
};

constexpr std::array<DtypeRow, 22> rows{{
    {Dtype::boolean, "BOOL", 8},
    {Dtype::f4, "F4", 4},
    {Dtype::f6_e2m3, "F6_E2M3", 6},
    {Dtype::f6_e3m2, "F6_E3M2", 6},
    {Dtype::u8, "U8", 8},
    {Dtype::i8, "I8", 8},
    {Dtype::f8_e5m2, "F8_E5M2", 8},
    {Dtype::f8_e4m3, "F8_E4M3", 8},
    {Dtype::f8_e8m0, "F8_E8M0", 8},
    {Dtype::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
    {Dtype::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
    {Dtype::i16, "I16", 16},
    {Dtype::u16, "U16", 16},
    {Dtype::f16, "F16", 16},
    {Dtype::bf16, "BF16", 16},
    {Dtype::i32, "I32", 32},
    {Dtype::u32, "U32", 32},
    {Dtype::f32, "F32", 32},
    {Dtype::c64, "C64", 64},
    {Dtype::f64, "F64", 64},
    {Dtype::i64, "I64", 64},
    {Dtype::u64, "U64", 64},
}};

const DtypeRow& row_of(Dtype dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  ASSERT(index < rows.size() && rows[index].dtype == dtype, "the table of dtypes is in the order of the enumeration");
  return rows[index];
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return row_of(dtype).name; }

std::optional<Dtype> dtype_from_name(std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const DtypeRow& row) { return row.name == name; });
  return found == rows.end() ? std::nullopt : std::optional(found->dtype);
}

std::size_t element_bits(Dtype dtype) { return row_of(dtype).bits; }

std::size_t alignment(Dtype dtype) {
  if (dtype == Dtype::c64) return 4;  // two float32
  return std::max<std::size_t>(1, element_bits(dtype) / 8);
}

}  // namespace nunchi::formats
