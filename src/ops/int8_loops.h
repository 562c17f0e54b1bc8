// ops/int8_loops.h: the definitions of ops/int8_kernels.h over the vectors of one instruction set.
#pragma once

#include "ops/int8_product_loops.h"

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
void encode(const T* row, std::int64_t count, RowCode of, std::uint8_t* codes) {
  const float steps = 1 / of.step;
  const auto whole = count / lanes * lanes;
  for (std::int64_t i = 0; i < whole; i += lanes) store((load(row + i) - of.low) * steps, codes + i);
  if (const auto left = count - whole; left > 0)
    store_some((load_some(row + whole, left, row[0]) - of.low) * steps, codes + whole, left);
}

template <class T>
RowCode quantised(const T* row, std::int64_t count, std::uint8_t* codes) {
  const auto [low, high] = range_of(row, count);
  // A range so narrow that its steps have no reciprocal is no range.
  const RowCode of{low, high - low > 1e-30f ? (high - low) / 255 : 1};
  encode(row, count, of, codes);
  for (std::int64_t i = count; i % 4 != 0; ++i) codes[i] = 0;
  return of;
}

// All rows of some columns, whose scales stay in registers. The target comes by value: stores of bytes could change
// what is behind a reference.
template <std::int64_t vectors, bool whole, class T>
void finish_columns(const Tile& tile, const TileTarget<T> to, std::int64_t column, auto activated) {
  const std::int64_t rows = tile.rows, count = tile.columns - column;
  const std::int32_t* products = tile.products + column;
  const RowCode* of_row = tile.of_row;
  const float* layer_scale = tile.layer_scale;
  const bool adds = to.residual != nullptr || to.residual_codes != nullptr, first = tile.residual_first;
  const float steps = 1 / to.of_out.step, zero = -to.of_out.low * steps;
  Floats scales[vectors], sums[vectors], bias[vectors], factors[vectors], offsets[vectors];
  NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) {
    scales[v] = load(tile.scales + column + v * lanes);
    sums[v] = load(tile.sums + column + v * lanes);
    bias[v] = load(tile.bias + column + v * lanes);
  }
  for (std::int64_t i = 0; i < rows; ++i, products += tile_columns) {
    const auto [low, step] = of_row[i];
    if (i == 0 || low != of_row[i - 1].low || step != of_row[i - 1].step) {  // the rows of a picture have one range
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) {
        factors[v] = scales[v] * step;
        offsets[v] = sums[v] * low + bias[v];
      }
    }
    const auto place = i * to.stride + column;
    Floats y[vectors];  // all of them step by step, so that none waits for another
    const auto add_residual = [&] {
      if (to.residual != nullptr) {
        NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[v] +=
            part_of<whole>(to.residual + place + v * lanes, count);
      } else {
        NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[v] +=
            to.of_residual.low + to.of_residual.step * part_of<whole>(to.residual_codes + place + v * lanes, count);
      }
    };
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) {
      const Floats product = __builtin_convertvector(loaded<Words>(products + v * lanes), Floats);
      y[v] = product * factors[v] + offsets[v];
    }
    if (adds && first) add_residual();
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[v] = activated(y[v]);
    if (layer_scale != nullptr) {
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[v] *= load(layer_scale + column + v * lanes);
    }
    if (adds && !first) add_residual();
    if (to.out_codes != nullptr) {
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v)
          put<whole>(y[v] * steps + zero, to.out_codes + place + v * lanes, count);
    } else {
      NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) put<whole>(y[v], to.out + place + v * lanes, count);
    }
  }
}

template <class T>
void finish(const Tile& tile, const TileTarget<T>& target, auto activated) {
  constexpr auto vectors = most_vectors;
  std::int64_t column = 0;
  for (; column + vectors * lanes <= tile.columns; column += vectors * lanes)
    finish_columns<vectors, true>(tile, target, column, activated);
  for (; column + lanes <= tile.columns; column += lanes) finish_columns<1, true>(tile, target, column, activated);
  if (column < tile.columns) finish_columns<1, false>(tile, target, column, activated);
}

template <class T>
void finish(const Tile& tile, const TileTarget<T>& target) {
  switch (tile.activation) {
    case Activation::gelu:
      return finish(tile, target, [](Floats x) { return gelu(x); });
    case Activation::gelu_tanh:  // (1 + tanh(a)) / 2 is the sigmoid of 2 a
      return finish(tile, target, [](Floats x) { return times_sigmoid(x, 1.59576912f * (x + 0.044715f * x * x * x)); });
    case Activation::relu:
      return finish(tile, target, [](Floats x) { return at_least(x, 0); });
    case Activation::relu6:
      return finish(tile, target, [](Floats x) { return smaller(all(6), at_least(x, 0)); });
    case Activation::silu:
      return finish(tile, target, [](Floats x) { return times_sigmoid(x, x); });
    default:
      return finish(tile, target, [](Floats x) { return x; });
  }
}

template <class T>
constexpr CodeKernels<T> kernels_of{quantised<T>, range_of<T>, encode<T>, finish<T>};

}  // namespace

const Int8Kernels int8_kernels{kernels_of<float>, kernels_of<Bf16Bits>, multiply_all};

}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
