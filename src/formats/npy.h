// formats/npy.h: one array in a file, as numpy.save writes it (numpy.lib.format, versions 1.0 to 3.0).
//
//   const NpyArray labels = read_npy("labels.npy");               // labels.dtype, labels.shape, labels.bytes
//   write_npy("embeddings.npy", Dtype::f32, {count, 768}, std::as_bytes(std::span(values)));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "formats/dtype.h"

namespace nunchi::formats {

// Row-major, little-endian.
struct NpyArray {
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // empty: one number
  std::vector<std::byte> bytes;
};

// Arrays in Fortran order are turned into row-major ones. Throws Error (input) with `name`, what was expected and what
// was found; big-endian, structured, text and object arrays are refused.
NpyArray parse_npy(std::span<const std::byte> file, const std::string& name);
NpyArray read_npy(const std::filesystem::path& path);

// Version 1.0, written atomically. Dtypes that numpy does not know (BF16, the F8s) are a bug of the caller.
void write_npy(const std::filesystem::path& path, Dtype dtype, const std::vector<std::int64_t>& shape,
               std::span<const std::byte> bytes);

}  // namespace nunchi::formats
