// ops/attention_loops.h: the definitions of ops/attention_kernels.h over the vectors of one instruction set.
#pragma once

#include "ops/attention_kernels.h"
#include "ops/product_kernels.h"
#include "ops/vectors.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

// A tile of c stays in registers: as many rows and vectors as there are registers for.
constexpr std::int64_t tile_rows = lanes == 16 ? 8 : 4;
static_assert(row_step % tile_rows == 0 && column_step % lanes == 0);

template <std::int64_t vectors>
void multiply_tile(const MatrixProduct& p, std::int64_t row, std::int64_t column) {
  Floats sums[tile_rows][vectors] = {};
  const float *a = p.a + row * p.a_stride, *b = p.b + column;
  for (std::int64_t k = 0; k < p.depth; ++k) {
    Floats right[vectors];
    for (std::int64_t v = 0; v < vectors; ++v) right[v] = load(b + k * p.b_stride + v * lanes);
    for (std::int64_t i = 0; i < tile_rows; ++i) {
      for (std::int64_t v = 0; v < vectors; ++v) sums[i][v] += a[i * p.a_stride + k] * right[v];
    }
  }
  for (std::int64_t i = 0; i < tile_rows; ++i) {
    for (std::int64_t v = 0; v < vectors; ++v) {
      float* c = p.c + (row + i) * p.c_stride + column + v * lanes;
      store(p.add ? load(c) + sums[i][v] : sums[i][v], c);
    }
  }
}

float largest_in(const float* row, std::int64_t columns) {
  const auto whole = columns / lanes * lanes;
  Floats largest = all(-__builtin_inff());
  for (std::int64_t j = 0; j < whole; j += lanes) largest = larger(load(row + j), largest);
  if (whole < columns) largest = larger(load_some(row + whole, columns - whole, -__builtin_inff()), largest);
  return largest_of(largest);
}

void multiply(const MatrixProduct& p) {
  constexpr std::int64_t pair = 2 * lanes;
  const auto in_pairs = p.columns / pair * pair;
  for (std::int64_t column = 0; column < in_pairs; column += pair) {
    for (std::int64_t row = 0; row < p.rows; row += tile_rows) multiply_tile<2>(p, row, column);
  }
  for (std::int64_t column = in_pairs; column < p.columns; column += lanes) {
    for (std::int64_t row = 0; row < p.rows; row += tile_rows) multiply_tile<1>(p, row, column);
  }
}

template <class T>
void scale_and_add(const BiasedScores& s, const T* bias) {
  const auto whole = s.columns / lanes * lanes;
  for (std::int64_t i = 0; i < s.rows; ++i) {
    float* row = s.scores + i * s.stride;
    const T* added = bias + i * s.bias_stride;
    const float scale = s.scales[i];
    for (std::int64_t j = 0; j < whole; j += lanes) store(scale * load(row + j) + load(added + j), row + j);
    if (const auto left = s.columns - whole; left > 0)
      store_some(scale * load_some(row + whole, left, 0.f) + load_some(added + whole, left, T{}), row + whole, left);
  }
}

void add_bias(const BiasedScores& s) {
  if (s.bias != nullptr)
    scale_and_add(s, s.bias);
  else
    scale_and_add(s, s.bias_bf16);
}

void scores_to_weights(const ScoresToWeights& s) {
  const auto whole = s.columns / lanes * lanes, left = s.columns - whole;
  for (std::int64_t i = 0; i < s.rows; ++i) {
    float* row = s.scores + i * s.stride;
    const float top = largest_in(row, s.columns);
    if (top == -__builtin_inff()) {  // every key is blocked, or NaN
      for (std::int64_t j = 0; j < s.stride; ++j) row[j] = j >= s.columns || row[j] == top ? 0 : row[j];
      s.log_sums[i] = 0;
      continue;
    }
    Floats sums{};
    for (std::int64_t j = 0; j < whole; j += lanes) {
      const Floats weight = exponential(s.scale * (load(row + j) - top));
      sums += weight;
      store(weight, row + j);
    }
    for (std::int64_t j = whole; j < s.stride; j += lanes) {
      const auto some = j == whole ? left : 0;
      store_some(exponential(s.scale * (load(row + j) - top)), row + j, some);
      for (std::int64_t rest = some; rest < lanes; ++rest) row[j + rest] = 0;
      sums += load(row + j);
    }
    const float sum = sum_of(sums);
    for (std::int64_t j = 0; j < s.stride; j += lanes) store(load(row + j) * (1 / sum), row + j);
    s.log_sums[i] = s.scale * top + __builtin_logf(sum);
  }
}

void score_gradients(const ScoreGradients& s) {
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.columns; j += lanes) {
      const auto at = i * s.columns + j;
      const Floats p = exponential(s.scale * load(s.scores + at) - load(s.log_sums + j));
      store(p, s.scores + at);
      store(s.scale * p * (load(s.gradients + at) - load(s.inner + j)), s.gradients + at);
    }
  }
}

void row_products(const RowProducts& p) {
  for (std::int64_t i = 0; i < p.rows; ++i) {
    Floats sums{};
    for (std::int64_t j = 0; j < p.columns; j += lanes)
      sums += load(p.a + i * p.columns + j) * load(p.b + i * p.columns + j);
    p.products[i] = sum_of(sums);
  }
}

inline void set(float& weight, float value) { weight = value; }
inline void set(Bf16Bits& weight, float value) {
  weight = static_cast<Bf16Bits>(__builtin_bit_cast(std::uint32_t, value) >> 16);
}

// Weights that become bf16 need no more of 2^x than that holds.
inline Floats weight_of(Floats exponent, const float*) { return two_to_the(exponent); }
inline Floats weight_of(Floats exponent, const Bf16Bits*) { return roughly_two_to_the(exponent); }

template <class T>
void scores_to_exponentials(const ScoresToExponentials<T>& s) {
  const auto whole = s.columns / lanes * lanes, left = s.columns - whole;
  for (std::int64_t i = 0; i < s.rows; ++i) {
    const float scale = s.scales[i] * 1.44269504f;  // e^x = 2^(x / ln 2)
    const float* row = s.scores + i * s.stride;
    T* weights = s.weights + i * s.weights_stride;
    const float top = largest_in(row, s.columns);
    if (top == -__builtin_inff()) {  // every key is blocked, or NaN
      for (std::int64_t j = 0; j < s.columns; ++j) set(weights[j], row[j] == top ? 0 : __builtin_nanf(""));
      s.inverse_sums[i] = 0;
      continue;
    }
    const Floats shift = all(-scale * top);
    Floats sums{};
    for (std::int64_t j = 0; j < whole; j += lanes) {
      const Floats weight = weight_of(load(row + j) * scale + shift, weights);
      sums += weight;
      store_number(weight, weights + j);  // where a score is NaN, so is the sum
    }
    if (left > 0) {
      const Floats weight = weight_of(load_some(row + whole, left, -__builtin_inff()) * scale + shift, weights);
      sums += weight;  // beyond the row 1e-38 at most, which a sum of 1 or more does not feel
      store_some(weight, weights + whole, left);
    }
    s.inverse_sums[i] = 1 / sum_of(sums);
  }
  if (Operand<T>::together > 1 && s.columns % 2 != 0)
    for (std::int64_t i = 0; i < s.rows; ++i) s.weights[i * s.weights_stride + s.columns] = T{};
}

template <class T>
void scale_rows(const ScaledRows<T>& s) {
  const auto whole = s.columns / lanes * lanes;
  for (std::int64_t i = 0; i < s.rows; ++i) {
    const float* row = s.products + i * s.stride;
    T* out = s.out + s.row_at[i];
    for (std::int64_t j = 0; j < whole; j += lanes) store(load(row + j) * s.factors[i], out + j);
    if (whole < s.columns)
      store_some(load_some(row + whole, s.columns - whole, 0.f) * s.factors[i], out + whole, s.columns - whole);
  }
}

template <class T>
void add_row(const T* row, std::int64_t count, float* sums) {
  const auto whole = count / lanes * lanes;
  for (std::int64_t d = 0; d < whole; d += lanes) store(load(sums + d) + load(row + d), sums + d);
  if (const auto left = count - whole; left > 0)
    store_some(load_some(sums + whole, left, 0.f) + load_some(row + whole, left, T{}), sums + whole, left);
}

template <class T>
float centred_codes(const T* row, const float* mean, std::int64_t count, std::uint8_t* codes) {
  const auto whole = count / lanes * lanes, left = count - whole;
  Words largest{};  // of the magnitudes' bits, which order as they do, those of no number last
  const auto see = [&](Floats x) {
    const Words bits = as<Words>(magnitude(x));
    largest = bits > largest ? bits : largest;
  };
  for (std::int64_t d = 0; d < whole; d += lanes) see(load(row + d) - load(mean + d));
  if (left > 0) see(load_some(row + whole, left, T{}) - load_some(mean + whole, left, 0.f));
  const float most = as<float>(largest_of(largest));
  if (!(most < __builtin_inff())) return __builtin_nanf("");
  const float steps = most > 1e-30f ? 127 / most : 1;
  for (std::int64_t d = 0; d < whole; d += lanes) store_code((load(row + d) - load(mean + d)) * steps + 128, codes + d);
  if (left > 0) {
    const Floats x = load_some(row + whole, left, T{}) - load_some(mean + whole, left, 0.f);
    store_some(x * steps + 128, codes + whole, left);
  }
  return most > 1e-30f ? most / 127 : 1;
}

template <class T>
constexpr AttentionBlockKernels<T> block_kernels{scores_to_exponentials<T>, scale_rows<T>, add_row<T>,
                                                 centred_codes<T>};

}  // namespace

const AttentionKernels attention_kernels{multiply,
                                         add_bias,
                                         scores_to_weights,
                                         score_gradients,
                                         row_products,
                                         block_kernels<float>,
                                         block_kernels<Bf16Bits>};

}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
