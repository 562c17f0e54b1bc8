// ops/finish_loops.h: what makes numbers of sums of products (ops/product_kernels.h), over the vectors of one
// instruction set.
#pragma once

#include "ops/product_loops.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

// x Phi(x). Phi(x) - 1/2 is odd: x times a polynomial of x^2, the minimax one up to |x| = `reach`, whose variable goes
// from -1 to 1.
template <std::int64_t count>
Floats gelu(Floats x, float reach, const float (&coefficients)[count]) {
  const Floats c = smaller(at_least(x, -reach), all(reach));
  const Floats v = c * c * (2 / (reach * reach)) - 1;
  Floats p = all(coefficients[0]);
  NUNCHI_UNROLLED for (std::int64_t i = 1; i < count; ++i) p = p * v + coefficients[i];
  return x * (0.5f + c * p);
}

// To 1.5e-7 |x|, which is what the rounding of Phi(x) leaves.
constexpr float fine_gelu[] = {-9.46365253e-05f, 2.78425228e-4f, -3.21199914e-4f, 5.39926579e-4f,
                               -0.00151345611f,  0.00305046071f, -0.00510869035f, 0.00831925496f,
                               -0.0129052242f,   0.0185699612f,  -0.0250165313f,  0.0320267528f,
                               -0.0397655927f,   0.049646046f,   -0.0671267584f,  0.13465935f};
// To 5e-6, a hundredth of what bf16 or codes leave; that is all that is left of a negative number beyond, too.
constexpr float coarse_gelu[] = {0.00147407153f, -0.00400853157f, 0.00473270332f, -0.00677848654f,
                                 0.0135203851f,  -0.0218547489f,  0.0303955823f,  -0.0405303426f,
                                 0.0532334745f,  -0.0736693069f,  0.148748353f};

// To 1e-4, for codes that become bf16: a hundredth of a step where they range over a few units.
constexpr float rough_gelu[] = {0.00392097468f, -0.0118054049f, 0.0198873505f, -0.0330487862f,
                                0.0549520291f,  -0.0876533166f, 0.187063679f};

// x / (1 + e^-y), without e of a positive number.
Floats times_sigmoid(Floats x, Floats y) {
  const Floats e = exponential(-magnitude(y));
  return x * (y < 0 ? e : all(1)) / (1 + e);
}

// Sums of products in numbers.
template <class Sum, std::int64_t vectors>
struct Sums {  // float
  Floats bias[vectors];

  Sums(const NumberMap& map, std::int64_t column) {
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) bias[v] = load(map.bias + column + v * lanes);
  }
  void of_row(const NumberMap&, std::int64_t) {}
  Floats at(const float* products, std::int64_t v) const { return load(products + v * lanes) + bias[v]; }
};

// Of codes.
template <std::int64_t vectors>
struct Sums<std::int32_t, vectors> {
  Floats scales[vectors], sums[vectors], bias[vectors], factors[vectors], offsets[vectors];

  Sums(const NumberMap& map, std::int64_t column) {
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) {
      factors[v] = scales[v] = load(map.scales + column + v * lanes);
      offsets[v] = bias[v] = load(map.bias + column + v * lanes);
      sums[v] = map.of_row != nullptr ? load(map.sums + column + v * lanes) : Floats{};
    }
  }
  void of_row(const NumberMap& map, std::int64_t i) {
    if (map.of_row == nullptr) return;
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) {
      factors[v] = scales[v] * map.of_row[i].step;
      offsets[v] = sums[v] * map.of_row[i].low + bias[v];
    }
  }
  Floats at(const std::int32_t* products, std::int64_t v) const {
    return numbers(loaded<Words>(products + v * lanes)) * factors[v] + offsets[v];
  }
};

// All rows of some columns, whose scales stay in registers. The target comes by value: stores of bytes could change
// what is behind a reference.
template <std::int64_t vectors, bool whole, class Sum, class T>
void finish_columns(const Tile<Sum>& tile, const TileTarget<T> to, std::int64_t column, auto activated) {
  const std::int64_t rows = tile.rows, count = tile.columns - column;
  const Sum* products = tile.products + column;
  const float* layer_scale = tile.layer_scale;
  const bool adds = to.residual != nullptr || to.residual_codes != nullptr, first = tile.residual_first;
  const float steps = 1 / to.of_out.step, zero = -to.of_out.low * steps;
  Sums<Sum, vectors> sums(tile.map, column);
  for (std::int64_t i = 0; i < rows; ++i, products += tile_columns) {
    sums.of_row(tile.map, i);
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
    NUNCHI_UNROLLED for (std::int64_t v = 0; v < vectors; ++v) y[v] = sums.at(products, v);
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

template <class Sum, class T>
void finish(const Tile<Sum>& tile, const TileTarget<T>& target, auto activated) {
  constexpr std::int64_t vectors = lanes == 16 ? 4 : 2;
  std::int64_t column = 0;
  for (; column + vectors * lanes <= tile.columns; column += vectors * lanes)
    finish_columns<vectors, true>(tile, target, column, activated);
  for (; column + lanes <= tile.columns; column += lanes) finish_columns<1, true>(tile, target, column, activated);
  if (column < tile.columns) finish_columns<1, false>(tile, target, column, activated);
}

template <class Sum, class T>
void finish(const Tile<Sum>& tile, const TileTarget<T>& target) {
  switch (tile.activation) {
    case Activation::gelu:
      return finish(tile, target, [](Floats x) {
        constexpr bool of_codes = std::is_same_v<Sum, std::int32_t>, in_full = std::is_same_v<T, float>;
        if constexpr (of_codes && !in_full)
          return gelu(x, 3.75f, rough_gelu);
        else if constexpr (of_codes || !in_full)
          return gelu(x, 4.75f, coarse_gelu);
        else
          return gelu(x, 5.25f, fine_gelu);
      });
    case Activation::gelu_tanh:  // (1 + tanh(a)) / 2 is the sigmoid of 2 a
      return finish(tile, target, [](Floats x) { return times_sigmoid(x, 1.59576912f * (x + 0.044715f * x * x * x)); });
    case Activation::quick_gelu:
      return finish(tile, target, [](Floats x) { return times_sigmoid(x, 1.702f * x); });
    case Activation::relu:
      return finish(tile, target, [](Floats x) { return at_least(x, 0); });
    case Activation::relu6:
      return finish(tile, target, [](Floats x) { return smaller(all(6), at_least(x, 0)); });
    case Activation::silu:
      return finish(tile, target, [](Floats x) { return times_sigmoid(x, x); });
    case Activation::hard_swish:
      return finish(tile, target, [](Floats x) { return x * smaller(all(6), at_least(x + 3, 0)) * (1.f / 6); });
    default:
      return finish(tile, target, [](Floats x) { return x; });
  }
}

}  // namespace
}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
