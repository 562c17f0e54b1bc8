// formats/dtype.h: the kinds of numbers that weight files hold.
//
//   if (const auto dtype = dtype_from_name("BF16")) bytes = count * element_bits(*dtype) / 8;
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace nunchi::formats {

// In the order of the safetensors specification: its writer puts the later ones first, which aligns every tensor.
enum class Dtype {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64,
};

std::string_view dtype_name(Dtype dtype);  // in the words of safetensors: "F32", "BF16", ...
std::optional<Dtype> dtype_from_name(std::string_view name);
std::size_t element_bits(Dtype dtype);
std::size_t alignment(Dtype dtype);  // bytes: 1, 2, 4 or 8

}  // namespace nunchi::formats
