#include "ops/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/isa.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

// Rows of two runs, as pixels of two rows of a map are, in three pieces.
struct Case {
  std::vector<std::int64_t> row_at, piece_at;
  std::int64_t length, reach;
};

Case made_case() {
  Case made{.piece_at = {0, 200, 400}, .length = 24, .reach = 1000};
  for (std::int64_t i = 0; i < 7; ++i) made.row_at.push_back(i * 24);
  for (std::int64_t i = 0; i < 4; ++i) made.row_at.push_back(300 + i * 48);
  return made;
}

template <class X>
Product<X> product_of(const Case& c, const std::vector<X>& x, const std::vector<typename Operand<X>::Weight>& block,
                      std::vector<typename Operand<X>::Sum>& products) {
  const auto rows = std::ssize(c.row_at);
  products.assign(static_cast<std::size_t>(rows * tile_columns), 0);
  return {.x = x.data(),
          .row_at = c.row_at.data(),
          .piece_at = c.piece_at.data(),
          .rows = rows,
          .columns = tile_columns,
          .pieces = std::ssize(c.piece_at),
          .length = c.length,
          .block = block.data(),
          .products = products.data()};
}

TEST(Product, OfBytesIsExact) {
  const auto c = made_case();
  std::mt19937 random(1);
  std::vector<std::uint8_t> x(static_cast<std::size_t>(c.reach));
  std::vector<std::int8_t> block(static_cast<std::size_t>(3 * c.length * tile_columns));
  for (auto& code : x) code = static_cast<std::uint8_t>(random());
  for (auto& weight : block) weight = static_cast<std::int8_t>(random());
  std::vector<std::int32_t> found;
  product_kernels().multiply(product_of(c, x, block, found));
  for (std::size_t i = 0; i < c.row_at.size(); ++i) {
    for (std::int64_t j = 0; j < tile_columns; ++j) {
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < 3 * c.length; ++k) {
        const auto at = c.row_at[i] + c.piece_at[static_cast<std::size_t>(k / c.length)] + k % c.length;
        sum +=
            x[static_cast<std::size_t>(at)] * block[static_cast<std::size_t>((k / 4 * tile_columns + j) * 4 + k % 4)];
      }
      EXPECT_EQ(found[i * tile_columns + static_cast<std::size_t>(j)], sum);
    }
  }
}

#ifdef __x86_64__
// What runs where there is AMX gives the same where there is none.
TEST(Product, OfBytesIsThatOfLibTorch) {
  if (!cpu_info().avx512_vnni) GTEST_SKIP() << "LibTorch's product of bytes needs AVX-512 with VNNI";
  const auto c = made_case();
  std::mt19937 random(2);
  std::vector<std::uint8_t> x(static_cast<std::size_t>(c.reach));
  std::vector<std::int8_t> block(static_cast<std::size_t>(3 * c.length * tile_columns));
  for (auto& code : x) code = static_cast<std::uint8_t>(random());
  for (auto& weight : block) weight = static_cast<std::int8_t>(random());
  std::vector<std::int32_t> ours, theirs;
  product_kernels().multiply(product_of(c, x, block, ours));
  multiply_by_brgemm(product_of(c, x, block, theirs));
  EXPECT_EQ(ours, theirs);
}

TEST(Product, OfBf16IsThatOfLibTorch) {
  if (!cpu_info().avx512_bf16) GTEST_SKIP() << "LibTorch's product of bf16 needs AVX-512 with BF16";
  const auto c = made_case();
  std::mt19937 random(3);
  std::uniform_int_distribution<int> sign_and_fraction(0, 255);
  // Between 1 and 2, of either sign.
  const auto number = [&] {
    const auto bits = sign_and_fraction(random);
    return static_cast<Bf16Bits>((bits & 128) << 8 | 0x3f80 | (bits & 127));
  };
  std::vector<Bf16Bits> x(static_cast<std::size_t>(c.reach));
  std::vector<Bf16Bits> block(static_cast<std::size_t>(3 * c.length * tile_columns));
  for (auto& one : x) one = number();
  for (auto& one : block) one = number();
  std::vector<float> ours, theirs;
  product_kernels().multiply(product_of(c, x, block, ours));
  multiply_by_brgemm(product_of(c, x, block, theirs));
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], theirs[i], 1e-4);
}
#endif

}  // namespace
}  // namespace nunchi::ops
