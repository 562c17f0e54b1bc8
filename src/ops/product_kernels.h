// ops/product_kernels.h: the inner loops of products of rows and a matrix, one namespace per instruction set.
//
// Both are of one kind: fp32, bf16 or eight bits. Weights lie in blocks of `tile_columns` output channels, with as many
// inputs of one channel beside each other as one instruction sums up: [in / together, tile_columns, together]. In eight
// bits, a row of activations becomes codes: x[k] is about low + step * codes[k].
#pragma once

#include <type_traits>

#include "ops/activation_kind.h"
#include "ops/bf16_bits.h"

namespace nunchi::ops {

constexpr std::int64_t tile_columns = 64;

// What is multiplied by what, and summed up in what.
template <class X>
struct Operand {  // float
  using Weight = X;
  using Sum = float;
  static constexpr std::int64_t together = 1;
};
template <>
struct Operand<Bf16Bits> {
  using Weight = Bf16Bits;
  using Sum = float;
  static constexpr std::int64_t together = 2;
};
template <>
struct Operand<std::uint8_t> {
  using Weight = std::int8_t;
  using Sum = std::int32_t;  // exact
  static constexpr std::int64_t together = 4;
};

struct RowCode {
  float low, step;
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
  std::int64_t stride = 0;

  TileTarget from(std::int64_t place) const {
    const auto at = [place](auto* begin) { return begin ? begin + place : nullptr; };
    return {at(out), at(residual), at(out_codes), at(residual_codes), of_out, of_residual, stride};
  }
};

// The numbers that sums of products stand for: y = scale * sum + bias. Where rows of codes have ranges of their own,
// y = scale * (step * sum + low * (sum of the channel's weights)) + bias, of which `sums` has scale * (...).
struct NumberMap {
  const float* bias = nullptr;                     // [tile_columns]
  const float *scales = nullptr, *sums = nullptr;  // [tile_columns], of codes
  const RowCode* of_row = nullptr;                 // [rows], of codes, or null
};

// What sums of products become without leaving the registers, in units of what is stored: numbers, or codes, with a
// residual, within `low` and `high`.
template <class T>
struct Direct {
  TileTarget<T> to = {};
  NumberMap map = {};
  float residual_step = 1;  // times codes
  float low = -__builtin_inff(), high = __builtin_inff();

  bool is_wanted() const { return to.out != nullptr || to.out_codes != nullptr; }  // or else the sums themselves
};

inline constexpr std::int64_t whole_row = 0;  // where the one piece of a row begins

struct PieceRange {
  std::int64_t first, end;
};

// A row lies in pieces: row i has x[row_at[i] + piece_at[p] + k] for each piece p and k < length. A linear layer has
// one piece to a row, a convolution one for each row of its kernel.
template <class X, class T = X>
struct Product {
  const X* x;
  const std::int64_t *row_at, *piece_at;     // [rows], [pieces]
  std::int64_t rows, columns, pieces;        // columns that are wanted, at most tile_columns
  std::int64_t length;                       // a multiple of `together`
  const typename Operand<X>::Weight* block;  // [pieces * length / together, tile_columns, together]
  typename Operand<X>::Sum* products;        // [rows, columns], in whole tiles: their sums
  std::int64_t products_stride = tile_columns;
  Direct<T> direct = {};             // or this
  const PieceRange* seen = nullptr;  // [rows]: but for these, a row's pieces are zeros; or null
};
template <class X, class T = X>
struct Multiply {
  void (*run)(const Product<X, T>&);
  bool direct = true;  // whether it knows of Product::direct
};
struct MultiplyCodes {
  Multiply<std::uint8_t, float> to_floats;
  Multiply<std::uint8_t, Bf16Bits> to_halves;
};

struct Range {
  float low, high;  // low is NaN where any number is none or infinite
};

constexpr bool tile_applies(Activation activation) {
  switch (activation) {
    case Activation::none:
    case Activation::gelu:
    case Activation::gelu_tanh:
    case Activation::quick_gelu:
    case Activation::relu:
    case Activation::relu6:
    case Activation::silu:
    case Activation::hard_swish:
      return true;
    default:
      return false;
  }
}

// Sums of products [rows, tile_columns], and what makes numbers of them.
template <class Sum>
struct Tile {
  const Sum* products;
  std::int64_t rows, columns;  // columns that exist; the rest of the tile is padding
  NumberMap map;
  Activation activation;     // one of those that tile_applies() names
  bool residual_first;       // is added before the activation
  const float* layer_scale;  // [tile_columns], or null
};

template <class Sum, class T>
using Finish = void (*)(const Tile<Sum>&, const TileTarget<T>&);

// What makes codes of numbers, and numbers of sums.
template <class T>
struct NumberKernels {
  RowCode (*quantise)(const T* row, std::int64_t count, std::uint8_t* codes);  // zeros up to a multiple of four
  Range (*range)(const T* row, std::int64_t count);
  void (*encode)(const T* row, std::int64_t count, RowCode code, std::uint8_t* codes);  // within 0 and 255
  Finish<float, T> finish;
  Finish<std::int32_t, T> finish_codes;
};

struct ProductKernels {
  NumberKernels<float> floats;
  NumberKernels<Bf16Bits> halves;
  Multiply<float> multiply_floats;
  Multiply<Bf16Bits> multiply_halves;
  MultiplyCodes multiply_codes;

  const NumberKernels<float>& of(const float*) const { return floats; }
  const NumberKernels<Bf16Bits>& of(const Bf16Bits*) const { return halves; }

  const Multiply<float>& of_product(const Product<float>*) const { return multiply_floats; }
  const Multiply<Bf16Bits>& of_product(const Product<Bf16Bits>*) const { return multiply_halves; }
  const Multiply<std::uint8_t, float>& of_product(const Product<std::uint8_t, float>*) const {
    return multiply_codes.to_floats;
  }
  const Multiply<std::uint8_t, Bf16Bits>& of_product(const Product<std::uint8_t, Bf16Bits>*) const {
    return multiply_codes.to_halves;
  }

  template <class X, class T>
  void multiply(const Product<X, T>& p) const {
    of_product(&p).run(p);
  }

  template <class T>
  void finish(const Tile<float>& tile, const TileTarget<T>& target) const {
    of(target.out).finish(tile, target);
  }
  template <class T>
  void finish(const Tile<std::int32_t>& tile, const TileTarget<T>& target) const {
    of(target.out).finish_codes(tile, target);
  }
};

namespace portable {
extern const ProductKernels product_kernels;
}  // namespace portable

namespace avx2 {
extern const ProductKernels product_kernels;
}  // namespace avx2

namespace avx512 {
extern const ProductKernels product_kernels;
}  // namespace avx512

namespace avx512_bf16 {
extern const ProductKernels product_kernels;
}  // namespace avx512_bf16

// For processors that have dot products of bytes, of 256 or 512 bits, beside avx2 or avx512.
namespace avx_vnni {
extern const MultiplyCodes multiply_codes;
}  // namespace avx_vnni

namespace avx512_vnni {
extern const MultiplyCodes multiply_codes;
}  // namespace avx512_vnni

}  // namespace nunchi::ops
