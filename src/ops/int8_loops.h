// ops/int8_loops.h: the definitions of ops/int8_kernels.h over the vectors of one instruction set.
#pragma once

#include "ops/int8_kernels.h"
#include "ops/vectors.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

// x Phi(x) to 5e-6, a hundredth of what rounding to codes changes. Phi(x) - 1/2 is odd: x times a polynomial of x^2,
// the minimax one up to |x| = 4.75, where all that is left of a negative number is 5e-6 as well. Its variable goes from
// -1 to 1.
Floats gelu(Floats x) {
  const Floats c = smaller(at_least(x, -4.75f), all(4.75f));
  const Floats v = c * c * 0.0886426568f - 1;
  constexpr float coefficients[] = {-0.00400853157f, 0.00473270332f, -0.00677848654f, 0.0135203851f,  -0.0218547489f,
                                    0.0303955823f,   -0.0405303426f, 0.0532334745f,   -0.0736693069f, 0.148748353f};
  Floats p = all(0.00147407153f);
  for (const float coefficient : coefficients) p = p * v + coefficient;
  return x * (0.5f + c * p);
}

// x / (1 + e^-y), without e of a positive number.
Floats times_sigmoid(Floats x, Floats y) {
  const Floats e = exponential(-magnitude(y));
  return x * (y < 0 ? e : all(1)) / (1 + e);
}

struct Range {
  float low, high;
};

template <class T>
Range range_of(const T* row, std::int64_t count) {
  const auto whole = count / lanes * lanes;
  Floats low = all(__builtin_inff()), high = -low;
  Bits largest{};  // of the magnitudes, which order as their bits do, those of no number last
  const auto see = [&](Floats x) {
    low = smaller(x, low);
    high = larger(x, high);
    const Bits bits = as<Bits>(magnitude(x));
    largest = bits > largest ? bits : largest;
  };
  for (std::int64_t i = 0; i < whole; i += lanes) see(load(row + i));
  if (whole < count) see(load_some(row + whole, count - whole, row[0]));
  Range range{low[0], high[0]};
  for (std::int64_t i = 0; i < lanes; ++i) {
    range.low = low[i] < range.low ? low[i] : range.low;
    range.high = high[i] > range.high ? high[i] : range.high;
    if (largest[i] >= 0x7f800000u) range.low = __builtin_nanf("");
  }
  return range;
}

template <class T>
RowCode quantised(const T* row, std::int64_t count, std::uint8_t* codes) {
  const auto [low, high] = range_of(row, count);
  // A range so narrow that its steps have no reciprocal is no range.
  const float step = high - low > 1e-30f ? (high - low) / 255 : 1, steps = 1 / step;
  const auto code = [low = low, steps](Floats x) {
    return __builtin_convertvector(nearest_integers((x - low) * steps), Bytes);
  };
  const auto whole = count / lanes * lanes;
  for (std::int64_t i = 0; i < whole; i += lanes) {
    const Bytes bytes = code(load(row + i));
    __builtin_memcpy(codes + i, &bytes, lanes);
  }
  if (whole == count && count % 4 == 0) return {low, step};
  const Bytes last = code(load_some(row + whole, count - whole, row[0]));
  for (std::int64_t i = whole; i < (count + 3) / 4 * 4; ++i) codes[i] = i < count ? last[i - whole] : 0;
  return {low, step};
}

template <class T>
void finish(const Tile& tile, const TileTarget<T>& target, auto activated) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    const auto [low, step] = tile.of_row[i];
    for (std::int64_t j = 0; j < tile.columns; j += lanes) {
      const Floats sum = __builtin_convertvector(loaded<Words>(tile.products + i * tile_columns + j), Floats);
      const Floats linear = sum * load(tile.scales + j) * step + load(tile.sums + j) * low + load(tile.bias + j);
      Floats y = activated(linear);
      if (tile.layer_scale != nullptr) y *= load(tile.layer_scale + j);
      const auto at = i * target.stride + j, left = tile.columns - j;
      if (target.residual != nullptr)
        y += left < lanes ? load_some(target.residual + at, left, T{}) : load(target.residual + at);
      if (left < lanes)
        store_some(y, target.out + at, left);
      else
        store(y, target.out + at);
    }
  }
}

template <class T>
void finish(const Tile& tile, const TileTarget<T>& target) {
  switch (tile.activation) {
    case Activation::gelu:
      return finish(tile, target, [](Floats x) { return gelu(x); });
    case Activation::gelu_tanh:  // (1 + tanh(a)) / 2 is the sigmoid of 2 a
      return finish(tile, target, [](Floats x) { return times_sigmoid(x, 1.59576912f * (x + 0.044715f * x * x * x)); });
    case Activation::relu:
      return finish(tile, target, [](Floats x) { return x < 0 ? Floats{} : x; });
    case Activation::silu:
      return finish(tile, target, [](Floats x) { return times_sigmoid(x, x); });
    default:
      return finish(tile, target, [](Floats x) { return x; });
  }
}

#ifdef __AVX2__
// The sums of a row's four codes with those of eight channels, exactly: pairs of 16 bits cannot overflow 32.
__m256i add_products(__m256i sums, __m256i codes, __m256i weights) {
  const __m256i low_bytes = _mm256_set1_epi16(0xff);
  const __m256i even =
      _mm256_madd_epi16(_mm256_and_si256(codes, low_bytes), _mm256_srai_epi16(_mm256_slli_epi16(weights, 8), 8));
  const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(codes, 8), _mm256_srai_epi16(weights, 8));
  return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
}

void multiply_row(const CodeProduct& p, const std::uint8_t* codes, std::int32_t* products) {
  constexpr std::int64_t vectors = tile_columns / 8;
  __m256i sums[vectors] = {};
  for (std::int64_t k = 0; k < p.depth; k += 4) {
    const __m256i four = _mm256_set1_epi32(loaded<std::int32_t>(codes + k));
    const std::int8_t* block = p.block + k * tile_columns;
    for (std::int64_t v = 0; v < vectors; ++v) sums[v] = add_products(sums[v], four, loaded<__m256i>(block + 32 * v));
  }
  __builtin_memcpy(products, sums, sizeof sums);
}
#else
void multiply_row(const CodeProduct& p, const std::uint8_t* codes, std::int32_t* products) {
  for (std::int64_t j = 0; j < tile_columns; ++j) products[j] = 0;
  for (std::int64_t k = 0; k < p.depth; k += 4) {
    const std::int8_t* block = p.block + k * tile_columns;
    for (std::int64_t j = 0; j < tile_columns; ++j) {
      for (std::int64_t part = 0; part < 4; ++part) products[j] += codes[k + part] * block[4 * j + part];
    }
  }
}
#endif

void multiply_codes(const CodeProduct& p) {
  for (std::int64_t i = 0; i < p.rows; ++i) multiply_row(p, p.codes + i * p.depth, p.products + i * tile_columns);
}

}  // namespace

const Int8Kernels int8_kernels{quantised<float>, quantised<Bf16Bits>, multiply_codes, finish<float>, finish<Bf16Bits>};

}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
