// ops/int8_kernels.h: the inner loops of the linear layer on eight-bit integers, one namespace per instruction set.
//
// A row of activations becomes codes of eight bits: x[k] is about low + step * codes[k]. Weights lie in blocks of
// `tile_columns` output channels, four inputs of one channel beside each other: [in / 4, tile_columns, 4].
#pragma once

#include "ops/activation_kind.h"
#include "ops/bf16_bits.h"

namespace nunchi::ops {

constexpr std::int64_t tile_columns = 64;

struct RowCode {
  float low, step;
};

constexpr bool tile_applies(Activation activation) {
  return activation == Activation::none || activation == Activation::gelu || activation == Activation::gelu_tanh ||
         activation == Activation::relu || activation == Activation::silu;
}

// int32 sums of products [rows, tile_columns], and what makes numbers of them.
struct Tile {
  const std::int32_t* products;
  std::int64_t rows, columns;         // columns that exist; the rest of the tile is padding
  const RowCode* of_row;              // [rows]
  const float *scales, *sums, *bias;  // [tile_columns], of the output channels
  Activation activation;              // one of those that tile_applies() names
  const float* layer_scale;           // [tile_columns], or null
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

struct Int8Kernels {
  RowCode (*quantise_floats)(const float* row, std::int64_t count, std::uint8_t* codes);
  RowCode (*quantise_bf16)(const Bf16Bits* row, std::int64_t count, std::uint8_t* codes);
  void (*multiply)(const CodeProduct&);  // exact
  void (*finish_floats)(const Tile&, const TileTarget<float>&);
  void (*finish_bf16)(const Tile&, const TileTarget<Bf16Bits>&);

  RowCode quantise(const float* row, std::int64_t count, std::uint8_t* codes) const {
    return quantise_floats(row, count, codes);
  }
  RowCode quantise(const Bf16Bits* row, std::int64_t count, std::uint8_t* codes) const {
    return quantise_bf16(row, count, codes);
  }
  void finish(const Tile& tile, const TileTarget<float>& target) const { finish_floats(tile, target); }
  void finish(const Tile& tile, const TileTarget<Bf16Bits>& target) const { finish_bf16(tile, target); }
};

namespace portable {
extern const Int8Kernels int8_kernels;
}  // namespace portable

namespace avx2 {
extern const Int8Kernels int8_kernels;
}  // namespace avx2

namespace avx512 {
extern const Int8Kernels int8_kernels;
}  // namespace avx512

}  // namespace nunchi::ops
