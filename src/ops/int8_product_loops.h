// ops/int8_product_loops.h: products of codes and weights (ops/int8_kernels.h) in the registers of one instruction set.
#pragma once

#include "ops/int8_kernels.h"
#include "ops/vectors.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

// `lanes` channels of a block, four weights of each; and four codes of a row, for every channel. add_products() adds
// the products of each four.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
using Weights = Words;
using Codes = Words;
inline Weights weights_at(const std::int8_t* from) { return loaded<Words>(from); }
inline Codes codes_at(const std::uint8_t* from) { return Words{} + loaded<std::int32_t>(from); }
inline Words add_products(Words sums, const Codes& codes, const Weights& weights) {
#ifdef __AVX512VNNI__
  return as<Words>(_mm512_dpbusd_epi32(as<__m512i>(sums), as<__m512i>(codes), as<__m512i>(weights)));
#else
  return as<Words>(_mm256_dpbusd_avx_epi32(as<__m256i>(sums), as<__m256i>(codes), as<__m256i>(weights)));
#endif
}
#else
// In 16 bits, the first and third of four beside the second and fourth: the sum of two products needs 32.
using Shorts [[gnu::vector_size(lanes * 4)]] = std::int16_t;
struct Weights {
  Shorts even, odd;
};
struct Codes {
  Shorts even, odd;
};
inline Weights weights_at(const std::int8_t* from) {
  const auto bytes = loaded<Shorts>(from);
  return {bytes << 8 >> 8, bytes >> 8};
}
inline Codes codes_at(const std::uint8_t* from) {
  const auto low = static_cast<std::int16_t>(from[0]), high = static_cast<std::int16_t>(from[2]);
  const auto next = static_cast<std::int16_t>(from[1]), last = static_cast<std::int16_t>(from[3]);
  const Words even = (Words{} + (high << 16 | low)), odd = (Words{} + (last << 16 | next));
  return {as<Shorts>(even), as<Shorts>(odd)};
}
#if defined(__AVX512BW__)
inline Words products_of_pairs(Shorts a, Shorts b) {
  return as<Words>(_mm512_madd_epi16(as<__m512i>(a), as<__m512i>(b)));
}
#elif defined(__AVX2__)
inline Words products_of_pairs(Shorts a, Shorts b) {
  return as<Words>(_mm256_madd_epi16(as<__m256i>(a), as<__m256i>(b)));
}
#else
inline Words products_of_pairs(Shorts a, Shorts b) {
  const Words left = as<Words>(a), right = as<Words>(b);
  return (left << 16 >> 16) * (right << 16 >> 16) + (left >> 16) * (right >> 16);
}
#endif
inline Words add_products(Words sums, const Codes& codes, const Weights& weights) {
  return sums + (products_of_pairs(codes.even, weights.even) + products_of_pairs(codes.odd, weights.odd));
}
#endif

// The tile whose sums stay in registers.
constexpr std::int64_t most_rows = lanes == 16 ? 6 : lanes == 8 ? 4 : 2, most_vectors = lanes == 16 ? 4 : 2;

template <std::int64_t rows, std::int64_t vectors>
void multiply_tile(const CodeProduct& p, std::int64_t row, std::int64_t column) {
  Words sums[rows][vectors] = {};
  const std::int8_t* block = p.block + 4 * column;
  for (std::int64_t piece = 0; piece < p.pieces; ++piece) {
    const std::uint8_t* at[rows];
    NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) at[i] = p.codes + p.row_at[row + i] + p.piece_at[piece];
    for (std::int64_t k = 0; k < p.length; k += 4, block += 4 * tile_columns) {
      Weights weights[vectors];
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) weights[v] = weights_at(block + 4 * lanes * v);
      NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) {
        const Codes codes = codes_at(at[i] + k);
        NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) sums[i][v] =
            add_products(sums[i][v], codes, weights[v]);
      }
    }
  }
  NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i)
      __builtin_memcpy(p.products + (row + i) * tile_columns + column, sums[i], sizeof sums[i]);
}

// All rows of up to `most_vectors` vectors of columns, in tiles as even as can be.
template <std::int64_t vectors>
void multiply_columns(const CodeProduct& p, std::int64_t column) {
  constexpr void (*of_rows[])(const CodeProduct&, std::int64_t, std::int64_t) = {
    multiply_tile<1, vectors>,
    multiply_tile<2, vectors>,
#if NUNCHI_LANES >= 8
    multiply_tile<3, vectors>,
    multiply_tile<4, vectors>,
#endif
#if NUNCHI_LANES == 16
    multiply_tile<5, vectors>,
    multiply_tile<6, vectors>,
#endif
  };
  static_assert(sizeof of_rows / sizeof of_rows[0] == most_rows);
  std::int64_t row = 0;
  for (auto tiles = (p.rows + most_rows - 1) / most_rows; tiles > 0; --tiles) {
    const auto rows = (p.rows - row + tiles - 1) / tiles;
    of_rows[rows - 1](p, row, column);
    row += rows;
  }
}

void multiply_all(const CodeProduct& p) {
  constexpr auto step = most_vectors * lanes;
  for (std::int64_t column = 0; column < p.columns; column += step) {
    const auto left = (p.columns - column + lanes - 1) / lanes;
    if (left >= most_vectors) {
      multiply_columns<most_vectors>(p, column);
      continue;
    }
#if NUNCHI_LANES == 16
    if (left == 3) multiply_columns<3>(p, column);
    if (left == 2) multiply_columns<2>(p, column);
#endif
    if (left == 1) multiply_columns<1>(p, column);
  }
}

}  // namespace
}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
