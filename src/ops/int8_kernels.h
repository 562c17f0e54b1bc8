// ops/int8_kernels.h: the inner loops of products of eight-bit integers, one namespace per instruction set.
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

struct Range {
  float low, high;  // low is NaN where any number is none or infinite
};

constexpr bool tile_applies(Activation activation) {
  return activation == Activation::none || activation == Activation::gelu || activation == Activation::gelu_tanh ||
         activation == Activation::relu || activation == Activation::relu6 || activation == Activation::silu;
}

// int32 sums of products [rows, tile_columns], and what makes numbers of them.
struct Tile {
  const std::int32_t* products;
  std::int64_t rows, columns;         // columns that exist; the rest of the tile is padding
  const RowCode* of_row;              // [rows]
  const float *scales, *sums, *bias;  // [tile_columns], of the output channels
  Activation activation;              // one of those that tile_applies() names
  bool residual_first;                // is added before the activation
  const float* layer_scale;           // [tile_columns], or null
};

// One tile of a matrix of floats or bfloat16, or of codes where `out_codes` is not null. A residual has the layout of
// the result; one of the two, or none, is not null.
template <class T>
struct TileTarget {
  T* out = nullptr;
  const T* residual = nullptr;
  std::uint8_t* out_codes = nullptr;
  const std::uint8_t* residual_codes = nullptr;
  RowCode of_out{0, 1}, of_residual{0, 1};  // of the codes
  std::int64_t stride;

  TileTarget from(std::int64_t place) const {
    const auto at = [place](auto* begin) { return begin ? begin + place : nullptr; };
    return {at(out), at(residual), at(out_codes), at(residual_codes), of_out, of_residual, stride};
  }
};

// A row of codes lies in pieces: row i has codes[row_at[i] + piece_at[p] + k] for each piece p and k < length. A linear
// layer has one piece to a row, a convolution one for each row of its kernel.
struct CodeProduct {
  const std::uint8_t* codes;
  const std::int64_t *row_at, *piece_at;  // [rows], [pieces]
  std::int64_t rows, columns, pieces;     // columns that are wanted, at most tile_columns
  std::int64_t length;                    // a multiple of four
  const std::int8_t* block;               // [pieces * length / 4, tile_columns, 4]
  std::int32_t* products;                 // [rows, tile_columns]
};
using MultiplyCodes = void (*)(const CodeProduct&);  // exact

template <class T>
struct CodeKernels {
  RowCode (*quantise)(const T* row, std::int64_t count, std::uint8_t* codes);  // zeros up to a multiple of four
  Range (*range)(const T* row, std::int64_t count);
  void (*encode)(const T* row, std::int64_t count, RowCode code, std::uint8_t* codes);  // within 0 and 255
  void (*finish)(const Tile&, const TileTarget<T>&);
};

struct Int8Kernels {
  CodeKernels<float> floats;
  CodeKernels<Bf16Bits> halves;
  MultiplyCodes multiply;

  const CodeKernels<float>& of(const float*) const { return floats; }
  const CodeKernels<Bf16Bits>& of(const Bf16Bits*) const { return halves; }
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

namespace avx512_bf16 {
extern const Int8Kernels int8_kernels;
}  // namespace avx512_bf16

// For processors that have dot products of bytes, of 256 or 512 bits, beside avx2 or avx512.
namespace avx_vnni {
extern const MultiplyCodes multiply_codes;
}  // namespace avx_vnni

namespace avx512_vnni {
extern const MultiplyCodes multiply_codes;
}  // namespace avx512_vnni

}  // namespace nunchi::ops
