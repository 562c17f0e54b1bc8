#include "ops/product.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <gtest/gtest.h>

#include <random>

#include "core/isa.h"
#include "ops/linear_int8.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

// Numbers whose products, and their sums, are exact.
float number(float x) { return x; }
float number(Bf16Bits x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }
std::int32_t number(std::uint8_t x) { return x; }
std::int32_t number(std::int8_t x) { return x; }

template <class X>
std::vector<X> random_numbers(std::size_t count, std::uint32_t seed) {
  std::mt19937 bits(seed);
  std::vector<X> numbers(count);
  for (auto& x : numbers) {
    if constexpr (sizeof(X) == 1)
      x = static_cast<X>(bits());
    else if constexpr (sizeof(X) == 2)
      x = static_cast<X>((bits() & 1) << 15 | 0x3f80 | (bits() & 127));  // from 1 to 2, of either sign
    else
      x = static_cast<X>(static_cast<int>(bits() % 512) - 256);
  }
  return numbers;
}

// What a product of X becomes.
template <class X>
using float_or = std::conditional_t<std::is_same_v<X, std::uint8_t>, float, X>;

// The chosen ones; and LibTorch's where they can run, which are chosen with AMX.
std::vector<ProductKernels> all_kernels() {
  std::vector<ProductKernels> all = {product_kernels()};
#ifdef __x86_64__
  if (cpu_info().avx512_vnni && cpu_info().avx512_bf16) {
    all.push_back(product_kernels());
    all.back().multiply_codes = codes_by_brgemm;
    all.back().multiply_halves = halves_by_brgemm;
  }
#endif
  return all;
}

template <class X>
class Products : public testing::Test {};
using Kinds = testing::Types<float, Bf16Bits, std::uint8_t>;
TYPED_TEST_SUITE(Products, Kinds);

// Rows of two runs, as pixels of two rows of a map are, and one that lies before, in three pieces.
TYPED_TEST(Products, AreExact) {
  using X = TypeParam;
  using Sum = typename Operand<X>::Sum;
  constexpr std::int64_t together = Operand<X>::together, length = 24, depth = 3 * length;
  const std::vector<std::int64_t> row_at = {0, 24, 48, 72, 96, 120, 144, 300, 348, 396, 444, 12},
                                  piece_at = {0, 200, 400};
  const auto x = random_numbers<X>(1000, 1);
  const auto block = random_numbers<typename Operand<X>::Weight>(depth * tile_columns, 2);
  const auto rows = std::ssize(row_at);
  for (const auto& kernels : all_kernels()) {
    std::vector<Sum> found(static_cast<std::size_t>(rows * tile_columns));
    kernels.multiply(Product<X, float_or<X>>{.x = x.data(),
                                             .row_at = row_at.data(),
                                             .piece_at = piece_at.data(),
                                             .rows = rows,
                                             .columns = tile_columns,
                                             .pieces = std::ssize(piece_at),
                                             .length = length,
                                             .block = block.data(),
                                             .products = found.data()});
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < tile_columns; ++j) {
        Sum sum = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
          const auto at = row_at[static_cast<std::size_t>(i)] + piece_at[static_cast<std::size_t>(k / length)];
          const auto place = (k / together * tile_columns + j) * together + k % together;
          sum += number(x[static_cast<std::size_t>(at + k % length)]) * number(block[static_cast<std::size_t>(place)]);
        }
        EXPECT_EQ(found[static_cast<std::size_t>(i * tile_columns + j)], sum);
      }
    }
  }
}

template <class X>
ProductRows<X> rows_of(const Tensor& x) {
  return {.x = elements<X>(x),
          .rows = x.size(0),
          .height = 1,
          .width = 1,
          .map_step = x.size(1),
          .row_step = 0,
          .column_step = 0,
          .piece_at = &whole_row,
          .pieces = 1,
          .length = x.size(1)};
}

template <class T>
ProductResult<T> relu_with(const Tensor& residual, const Tensor& found) {
  return {.target = {.out = elements<T>(found), .residual = elements<T>(residual), .stride = found.size(1)},
          .activation = Activation::relu,
          .residual_first = true};
}

// Numbers of T, in bf16 so small that all of them are exact.
template <class T>
Tensor small_numbers(at::IntArrayRef sizes) {
  return at::randint(-4, 5, sizes, at::TensorOptions(std::is_same_v<T, float> ? at::kFloat : at::kBFloat16));
}

template <class T>
class ProductsIn : public testing::Test {};
using Numbers = testing::Types<float, Bf16Bits>;
TYPED_TEST_SUITE(ProductsIn, Numbers);

// Whatever kernel multiplies, and whether it makes numbers of sums in its registers or leaves them for later.
TYPED_TEST(ProductsIn, LayersComeOutTheSameByAnyKernel) {
  using T = TypeParam;
  at::manual_seed(5);
  constexpr std::int64_t rows = 21, in = 40, out = 86;
  const Tensor x = small_numbers<T>({rows, in}), residual = small_numbers<T>({rows, out});
  const Tensor weight = small_numbers<T>({out, in}), bias = small_numbers<T>({out});
  const auto packed = *pack_linear(weight, bias);
  const Tensor expected = at::relu(at::linear(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat)) + residual);
  for (const auto& kernels : all_kernels()) {
    const Tensor found = at::empty({rows, out}, x.options());
    multiply(rows_of<T>(x), packed, relu_with<T>(residual, found), kernels);
    EXPECT_TRUE(at::equal(found, expected.to(found.scalar_type())));
  }
}

// As above, of codes: y = scale (step * codes W_q^T + low * sum(W_q)) + b.
TYPED_TEST(ProductsIn, LayersOfCodesComeOutTheSameByAnyKernel) {
  using T = TypeParam;
  at::manual_seed(6);
  constexpr std::int64_t rows = 21, in = 40, out = 86;
  const Tensor x = at::randint(0, 256, {rows, in}, at::kByte), residual = small_numbers<T>({rows, out});
  const auto packed = quantise_weight(at::randn({out, in}), at::randn({out}));
  std::vector<RowCode> codes;
  for (int i = 0; i < rows; ++i) codes.push_back({-1 + 0.1F * static_cast<float>(i), 0.01F});
  const Tensor low = at::arange(rows, at::kFloat).unsqueeze(1) * 0.1 - 1;
  const Tensor numbers = low + 0.01 * x.to(at::kFloat);
  const Tensor bias = packed.bias.slice(0, 0, out), weight = dequantise_weight(packed);
  for (const bool same_code : {false, true}) {
    const Tensor seen = same_code ? -1 + 0.01 * x.to(at::kFloat) : numbers;
    const Tensor expected = at::relu(at::linear(seen, weight, bias) + residual);
    auto given = rows_of<std::uint8_t>(x);
    given.of_row = same_code ? nullptr : codes.data();
    given.of_all = codes[0];
    for (const auto& kernels : all_kernels()) {
      const Tensor found = at::empty({rows, out}, residual.options());
      multiply(given, packed, relu_with<T>(residual, found), kernels);
      const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1.0 / 128;
      EXPECT_TRUE(at::allclose(found.to(at::kFloat), expected, tolerance, tolerance));
    }
  }
}

}  // namespace
}  // namespace nunchi::ops
