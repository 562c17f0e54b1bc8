#include "draw/matrix.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"
#include "draw/drawn.h"

namespace nunchi::draw {
namespace {

image::Picture plain_picture(int width, int height, std::uint8_t shade) {
  auto picture = image::make_picture(width, height);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i)
    picture.pixels[i] = static_cast<std::uint8_t>(shade + 40 * (i % 3));
  return picture;
}

SimilarityMatrix example(std::size_t count) {
  SimilarityMatrix matrix{.title = "Which pictures are alike",
                          .subtitle = "cosine of their vectors: 1 the same, 0 nothing in common"};
  for (std::size_t i = 0; i < count; ++i) {
    matrix.names.push_back(i % 2 == 0 ? "고양이 " + std::to_string(i)
                                      : "a photo with a rather long name " + std::to_string(i));
    matrix.thumbnails.push_back(plain_picture(40 + 10 * static_cast<int>(i), 60, static_cast<std::uint8_t>(11 * i)));
    for (std::size_t j = 0; j < count; ++j)
      matrix.values.push_back(1 - 2.0 / static_cast<double>(count) *
                                      std::abs(static_cast<double>(i) - static_cast<double>(j)));
  }
  return matrix;
}

TEST(SimilarityMatrix, HoldsItsColoursAndCutsNothing) {
  for (const std::size_t count : {1, 2, 7, 12, 40}) {
    const auto matrix = example(count);
    const auto picture = drawn(png_of(drawing(matrix)), "matrix_" + std::to_string(count));
    EXPECT_TRUE(has_a_clean_edge(picture)) << count;
    EXPECT_GT(count_of(picture, color_of(ColorMap::diverging, 1)), 50) << count;
  }
}

TEST(SimilarityMatrix, WithoutThumbnailsAndWithLongNames) {
  auto matrix = example(5);
  matrix.thumbnails.clear();
  for (auto& name : matrix.names) name = std::string(150, 'n');
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(matrix)), "matrix_names")));
  EXPECT_THAT(svg_of(drawing(matrix)), testing::HasSubstr("</svg>"));
}

TEST(SimilarityMatrix, SizesThatDoNotFitAreOurOwnBug) {
  auto matrix = example(3);
  matrix.values.pop_back();
  EXPECT_THROW(png_of(drawing(matrix)), Error);
  matrix = example(3);
  matrix.thumbnails.pop_back();
  EXPECT_THROW(png_of(drawing(matrix)), Error);
  EXPECT_THROW(png_of(drawing(SimilarityMatrix{})), Error);
}

}  // namespace
}  // namespace nunchi::draw
