// ops/int8_kernels.h: the inner loops of the linear layer on eight-bit integers, one namespace per instruction set.
//
// A row of activations becomes codes of eight bits: x[k] is about low + step * codes[k]. Weights lie in blocks of
// `tile_columns` output channels, four inputs of one channel beside each other: [in / 4, tile_columns, 4].
#pragma once

#include <cstdint>

namespace nunchi::ops {

constexpr std::int64_t tile_columns = 64;

struct RowCode {
  float low, step;
};

enum class TileActivation { none, gelu, gelu_tanh, relu, silu };

// int32 sums of products [rows, tile_columns], and what makes numbers of them.
struct Tile {
  const std::int32_t* products;
  std::int64_t rows, columns;         // columns that exist; the rest of the tile is padding
  const RowCode* of_row;              // [rows]
  const float *scales, *sums, *bias;  // [tile_columns], of the output channels
  TileActivation activation;
  const float* layer_scale;  // [tile_columns], or null
};

// One tile of a matrix of floats or bfloat16; `residual` has the layout of `out`, or is null.
template <class T>
struct TileTarget {
  T* out;
  const T* residual;
  std::int64_t stride;
};

struct CodeProduct {
  const std::uint8_t* codes;  // [rows, depth]
  const std::int8_t* block;   // [depth / 4, tile_columns, 4]
  std::int64_t rows, depth;   // depth is a multiple of four
  std::int32_t* products;     // [rows, tile_columns]
};

using Bf16Bits = std::uint16_t;

#define NUNCHI_INT8_KERNELS                                                                \
  RowCode quantise_row(const float* row, std::int64_t count, std::uint8_t* codes);         \
  RowCode quantise_row(const Bf16Bits* row, std::int64_t count, std::uint8_t* codes);      \
  void multiply(const CodeProduct& product); /* exact, where oneDNN has no such product */ \
  void finish_tile(const Tile& tile, const TileTarget<float>& target);                     \
  void finish_tile(const Tile& tile, const TileTarget<Bf16Bits>& target);

namespace portable {
NUNCHI_INT8_KERNELS
}  // namespace portable

namespace avx2 {
NUNCHI_INT8_KERNELS
}  // namespace avx2

namespace avx512 {
NUNCHI_INT8_KERNELS
}  // namespace avx512

#undef NUNCHI_INT8_KERNELS

}  // namespace nunchi::ops
