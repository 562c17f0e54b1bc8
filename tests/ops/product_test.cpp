#include "ops/product.h"

#include <gtest/gtest.h>

#include <random>

#include "core/isa.h"

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

// The products that there are of a kind: the chosen one; and LibTorch's where it can run, which is chosen with AMX.
template <class X>
std::vector<std::function<void(const Product<X>&)>> products_of_kind() {
  std::vector<std::function<void(const Product<X>&)>> all;
  all.emplace_back([](const Product<X>& p) { product_kernels().multiply(p); });
#ifdef __x86_64__
  if constexpr (sizeof(X) == 1) {
    if (cpu_info().avx512_vnni) all.emplace_back([](const Product<X>& p) { multiply_by_brgemm(p); });
  } else if constexpr (sizeof(X) == 2) {
    if (cpu_info().avx512_bf16) all.emplace_back([](const Product<X>& p) { multiply_by_brgemm(p); });
  }
#endif
  return all;
}

template <class X>
class Products : public testing::Test {};
using Kinds = testing::Types<float, Bf16Bits, std::uint8_t>;
TYPED_TEST_SUITE(Products, Kinds);

// Rows of two runs, as pixels of two rows of a map are, in three pieces.
TYPED_TEST(Products, AreExact) {
  using X = TypeParam;
  using Sum = typename Operand<X>::Sum;
  constexpr std::int64_t together = Operand<X>::together, length = 24, depth = 3 * length;
  const std::vector<std::int64_t> row_at = {0, 24, 48, 72, 96, 120, 144, 300, 348, 396, 444}, piece_at = {0, 200, 400};
  const auto x = random_numbers<X>(1000, 1);
  const auto block = random_numbers<typename Operand<X>::Weight>(depth * tile_columns, 2);
  const auto rows = std::ssize(row_at);
  for (const auto& multiply : products_of_kind<X>()) {
    std::vector<Sum> found(static_cast<std::size_t>(rows * tile_columns));
    multiply({.x = x.data(),
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

}  // namespace
}  // namespace nunchi::ops
