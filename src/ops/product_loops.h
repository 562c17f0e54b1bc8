// ops/product_loops.h: products (ops/product_kernels.h) in the registers of one instruction set.
#pragma once

#include "ops/product_kernels.h"
#include "ops/vectors.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

// One step of a product: `together` weights of each of `lanes` channels, those inputs of a row for every channel, and
// the sum of their products. Where an instruction takes half of them, there are two parts.
template <class X>
struct Step {  // float
  using Sums = Floats;
  static constexpr int parts = 1;
  static Floats weights(const float* from, int) { return load(from); }
  static Floats inputs(const float* from, int) { return all(*from); }
  static Floats add(Floats sums, Floats x, Floats w) { return sums + x * w; }
};

template <>
struct Step<Bf16Bits> {
  using Sums = Floats;
#ifdef __AVX512BF16__
  static constexpr int parts = 1;
  static Words weights(const Bf16Bits* from, int) { return loaded<Words>(from); }
  static Words inputs(const Bf16Bits* from, int) { return Words{} + loaded<std::int32_t>(from); }
  static Floats add(Floats sums, Words x, Words w) {
    return as<Floats>(_mm512_dpbf16_ps(as<__m512>(sums), as<__m512bh>(x), as<__m512bh>(w)));
  }
#else
  static constexpr int parts = 2;  // the first of two, and the second
  static Floats wide(Bits pairs, int part) { return as<Floats>(part == 0 ? pairs << 16 : pairs & 0xffff0000u); }
  static Floats weights(const Bf16Bits* from, int part) { return wide(loaded<Bits>(from), part); }
  static Floats inputs(const Bf16Bits* from, int part) { return wide(Bits{} + loaded<std::uint32_t>(from), part); }
  static Floats add(Floats sums, Floats x, Floats w) { return sums + x * w; }
#endif
};

template <>
struct Step<std::uint8_t> {
  using Sums = Words;
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
  static constexpr int parts = 1;
  static Words weights(const std::int8_t* from, int) { return loaded<Words>(from); }
  static Words inputs(const std::uint8_t* from, int) { return Words{} + loaded<std::int32_t>(from); }
  static Words add(Words sums, Words x, Words w) {
#ifdef __AVX512VNNI__
    return as<Words>(_mm512_dpbusd_epi32(as<__m512i>(sums), as<__m512i>(x), as<__m512i>(w)));
#else
    return as<Words>(_mm256_dpbusd_avx_epi32(as<__m256i>(sums), as<__m256i>(x), as<__m256i>(w)));
#endif
  }
#else
  // In 16 bits, the first and third of four, and the second and fourth: the sum of two products needs 32.
  using Shorts [[gnu::vector_size(lanes * 4)]] = std::int16_t;
  static constexpr int parts = 2;
  static Shorts weights(const std::int8_t* from, int part) {
    const auto bytes = loaded<Shorts>(from);
    return (part == 0 ? bytes << 8 : bytes) >> 8;
  }
  static Shorts inputs(const std::uint8_t* from, int part) {
    const auto low = static_cast<std::int32_t>(from[part]), high = static_cast<std::int32_t>(from[part + 2]);
    return as<Shorts>(Words{} + (high << 16 | low));
  }
  static Words add(Words sums, Shorts x, Shorts w) {
#if defined(__AVX512BW__)
    return sums + as<Words>(_mm512_madd_epi16(as<__m512i>(x), as<__m512i>(w)));
#elif defined(__AVX2__)
    return sums + as<Words>(_mm256_madd_epi16(as<__m256i>(x), as<__m256i>(w)));
#else
    const Words left = as<Words>(x), right = as<Words>(w);
    return sums + ((left << 16 >> 16) * (right << 16 >> 16) + (left >> 16) * (right >> 16));
#endif
  }
#endif
};

// The tile whose sums stay in registers.
constexpr std::int64_t most_rows = 6, most_vectors = lanes == 16 ? 4 : 2;

// Those that any of some rows sees.
template <class X, class T>
PieceRange pieces_seen(const Product<X, T>& p, std::int64_t row, std::int64_t rows) {
  if (p.seen == nullptr) return {0, p.pieces};
  PieceRange all = p.seen[row];
  for (const PieceRange* seen = p.seen + row + 1; seen < p.seen + row + rows; ++seen) {
    all.first = seen->first < all.first ? seen->first : all.first;
    all.end = seen->end > all.end ? seen->end : all.end;
  }
  return all;
}

inline Floats numbers(Floats sums) { return sums; }
inline Floats numbers(Words sums) { return __builtin_convertvector(sums, Floats); }

// The numbers that sums of products stand for, in one vector of columns after the other.
template <class Sums, std::int64_t rows, std::int64_t vectors>
[[gnu::always_inline]] inline void read_sums(const NumberMap& map, const Sums (&sums)[rows][vectors],
                                             Floats (&y)[rows][vectors], std::int64_t row, std::int64_t column) {
  NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v, column += lanes) {
    const Floats bias = load(map.bias + column);
    if constexpr (std::is_same_v<Sums, Floats>) {
      NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) y[i][v] = sums[i][v] + bias;
    } else if (map.of_row == nullptr) {
      const Floats scale = load(map.scales + column);
      NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) y[i][v] = numbers(sums[i][v]) * scale + bias;
    } else {
      const Floats scale = load(map.scales + column), of_weights = load(map.sums + column);
      NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) {
        const RowCode& code = map.of_row[row + i];
        y[i][v] = numbers(sums[i][v]) * (scale * code.step) + (of_weights * code.low + bias);
      }
    }
  }
}

// Row after row; the last vector may end within.
template <class X, class T, class Sums, std::int64_t rows, std::int64_t vectors>
[[gnu::always_inline]] inline void put_directly(const Product<X, T>& p, const Sums (&sums)[rows][vectors],
                                                std::int64_t row, std::int64_t column) {
  const TileTarget<T>& to = p.direct.to;
  const auto left = p.columns - column - (vectors - 1) * lanes;
  const bool whole = left >= lanes;
  const auto get = [&](const auto* from, std::int64_t v) {
    return v + 1 < vectors || whole ? load(from + v * lanes) : load_some(from + v * lanes, left, {});
  };
  const auto set = [&](Floats value, auto* out, std::int64_t v) {
    if (v + 1 == vectors && !whole) return store_some(value, out + v * lanes, left);
    if constexpr (std::is_same_v<decltype(out), std::uint8_t*>)
      store_code(value, out + v * lanes);
    else
      store(value, out + v * lanes);
  };
  const Floats low = all(p.direct.low), high = all(p.direct.high);
  const bool bounded = p.direct.low > -__builtin_inff();
  Floats y[rows][vectors];
  read_sums(p.direct.map, sums, y, row, column);
  auto place = row * to.stride + column;
  NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i, place += to.stride) {
    if (to.residual != nullptr) {
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[i][v] += get(to.residual + place, v);
    }
    if constexpr (std::is_same_v<X, std::uint8_t>) {
      if (to.residual_codes != nullptr) {
        NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[i][v] +=
            p.direct.residual_step * get(to.residual_codes + place, v);
      }
    }
    if (bounded) {
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[i][v] = smaller(high, larger(low, y[i][v]));
    }
    if constexpr (std::is_same_v<X, std::uint8_t>) {
      if (to.out_codes != nullptr) {
        NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) set(y[i][v], to.out_codes + place, v);
        continue;
      }
    }
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) set(y[i][v], to.out + place, v);
  }
}

template <class X, class T, std::int64_t rows, std::int64_t vectors>
void multiply_tile(const Product<X, T>& p, std::int64_t row, std::int64_t column) {
  constexpr auto together = Operand<X>::together;
  typename Step<X>::Sums sums[rows][vectors];
  NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i)  // one by one: `= {}` goes through memory
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) sums[i][v] = typename Step<X>::Sums{};
  const auto* block = p.block + together * column;
  const auto [first, end] = pieces_seen(p, row, rows);
  block += first * p.length * tile_columns;
  for (auto piece = first; piece < end; ++piece) {
    const X* at[rows];
    NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) at[i] = p.x + p.row_at[row + i] + p.piece_at[piece];
    for (std::int64_t k = 0; k < p.length; k += together, block += together * tile_columns) {
      NUNCHI_UNROLLED for (int part = 0; part < Step<X>::parts; ++part) {
        decltype(Step<X>::weights(block, part)) weights[vectors];
        NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) weights[v] =
            Step<X>::weights(block + together * lanes * v, part);
        NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) {
          const auto x = Step<X>::inputs(at[i] + k, part);
          NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) sums[i][v] =
              Step<X>::add(sums[i][v], x, weights[v]);
        }
      }
    }
  }
  if (p.direct.is_wanted()) return put_directly(p, sums, row, column);
  NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) {
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) __builtin_memcpy(
        p.products + (row + i) * p.products_stride + column + v * lanes, &sums[i][v], sizeof sums[i][v]);
  }
}

// All rows of up to `most_vectors` vectors of columns, in tiles as even as can be.
template <std::int64_t vectors, class X, class T>
void multiply_columns(const Product<X, T>& p, std::int64_t column) {
  constexpr void (*of_rows[most_rows])(const Product<X, T>&, std::int64_t, std::int64_t) = {
      multiply_tile<X, T, 1, vectors>, multiply_tile<X, T, 2, vectors>, multiply_tile<X, T, 3, vectors>,
      multiply_tile<X, T, 4, vectors>, multiply_tile<X, T, 5, vectors>, multiply_tile<X, T, 6, vectors>};
  std::int64_t row = 0;
  for (auto tiles = (p.rows + most_rows - 1) / most_rows; tiles > 0; --tiles) {
    const auto rows = (p.rows - row + tiles - 1) / tiles;
    of_rows[rows - 1](p, row, column);
    row += rows;
  }
}

template <class X, class T = X>
void multiply_all(const Product<X, T>& p) {
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

constexpr MultiplyCodes multiply_codes_here{{multiply_all<std::uint8_t, float>},
                                            {multiply_all<std::uint8_t, Bf16Bits>}};

}  // namespace
}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
