#include "image/resize.h"

#include <gtest/gtest.h>

#include <array>

#include "core/error.h"
#include "image/golden.h"
#include "image/random.h"

namespace nunchi::image {
namespace {

std::vector<Isa> isas() {
  std::vector<Isa> present;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa_supported(isa, cpu_info())) present.push_back(isa);
  }
  return present;
}

struct Case {
  Picture picture;
  int width = 0, height = 0;
  ResizeOptions options;
};

int random_side(Random& random) {
  const int kind = random.between(0, 9);
  return kind == 0 ? random.between(1, 6) : kind < 9 ? random.between(7, 90) : random.between(91, 700);
}

std::array<float, 2> random_part(int first, int second) {
  const auto [low, high] = std::minmax(first, second);
  return {static_cast<float>(low) / 4, static_cast<float>(high + 1) / 4};
}

Case pil_case(std::uint64_t number) {
  Random random(number);
  const int width = random_side(random);
  const int height = random_side(random);
  Case drawn{.picture = {}, .width = random_side(random), .height = 0, .options = {}};
  drawn.height = random_side(random);
  const int channels = random.between(0, 4) == 0 ? 1 : 3;
  drawn.options.filter = static_cast<Filter>(random.between(0, 5));
  if (random.between(0, 2) == 0) {
    const int x0 = random.between(0, 4 * width - 1);
    const auto across = random_part(x0, random.between(0, 4 * width - 1));
    const int y0 = random.between(0, 4 * height - 1);
    const auto down = random_part(y0, random.between(0, 4 * height - 1));
    drawn.options.box = Box{across[0], down[0], across[1], down[1]};
  }
  drawn.picture = random_picture(number, width, height, channels);
  return drawn;
}

Case torch_case(std::uint64_t number) {
  Random random(number + 1'000'000);
  const int width = random_side(random);
  const int height = random_side(random);
  Case drawn{
      .picture = random_picture(number, width, height, 3), .width = random_side(random), .height = 0, .options = {}};
  drawn.height = random_side(random);
  drawn.options = {.filter = random.between(0, 1) == 0 ? Filter::bilinear : Filter::bicubic,
                   .backend = Backend::torchvision,
                   .box = {},
                   .window = {},
                   .isa = {}};
  return drawn;
}

Picture run(const Case& drawn, Isa isa) {
  ResizeOptions options = drawn.options;
  options.isa = isa;
  return resize(drawn.picture, drawn.width, drawn.height, options);
}

void expect_hashes(const std::string& file, Case (*draw)(std::uint64_t), std::size_t at_least) {
  const auto hashes = golden_lines(file);
  ASSERT_GE(hashes.size(), at_least);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const Case drawn = draw(i);
    for (const Isa isa : isas()) {
      ASSERT_EQ(hash_text(run(drawn, isa).pixels), hashes[i])
          << file << " case " << i << " on " << isa_name(isa) << ": " << drawn.picture.width << "x"
          << drawn.picture.height << "x" << drawn.picture.channels << " to " << drawn.width << "x" << drawn.height
          << ", filter " << static_cast<int>(drawn.options.filter) << (drawn.options.box ? ", box" : "");
    }
  }
}

TEST(Resize, EqualsPillowOnEveryInstructionSet) { expect_hashes("resize_pil.txt", pil_case, 5000); }

TEST(Resize, EqualsTorchsAntialiasedKernel) { expect_hashes("resize_torch.txt", torch_case, 1000); }

TEST(Resize, AWindowIsThatPartOfTheWholeResult) {
  for (std::uint64_t number = 0; number < 600; ++number) {
    Case drawn = number % 4 == 3 ? torch_case(number) : pil_case(number);
    const Picture whole = run(drawn, isas().back());
    Random random(number);
    Window window{random.between(0, drawn.width - 1), random.between(0, drawn.height - 1), 0, 0};
    window.width = random.between(1, drawn.width - window.left);
    window.height = random.between(1, drawn.height - window.top);
    drawn.options.window = window;
    const Picture part = run(drawn, isas()[number % isas().size()]);
    ASSERT_EQ(part.width, window.width);
    ASSERT_EQ(part.height, window.height);
    for (int y = 0; y < window.height; ++y) {
      const std::uint8_t* expected = whole.row(window.top + y) + window.left * whole.channels;
      ASSERT_TRUE(std::equal(part.row(y), part.row(y) + part.row_bytes(), expected))
          << "case " << number << " row " << y;
    }
  }
}

TEST(Resize, TorchvisionHasNoLanczos) {
  const Picture picture = random_picture(1, 8, 8, 3);
  EXPECT_THROW(resize(picture, 4, 4, {.filter = Filter::lanczos, .backend = Backend::torchvision}), Error);
}

TEST(Resize, ABoxOutsideThePictureIsABug) {
  const Picture picture = random_picture(1, 8, 8, 3);
  EXPECT_ANY_THROW(resize(picture, 4, 4, {.box = Box{0, 0, 9, 8}}));
  EXPECT_ANY_THROW(resize(picture, 0, 4));
}

}  // namespace
}  // namespace nunchi::image
