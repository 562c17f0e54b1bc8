#include "draw/drawing.h"

#include <gmock/gmock.h>

#include <array>

#include "core/error.h"
#include "core/temporary_folder.h"
#include "draw/drawn.h"

namespace nunchi::draw {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Drawing example(double width = 200, double height = 100) {
  return {.width = width, .height = height, .draw = [](Canvas& canvas) {
            canvas.fill({20, 20, 60, 40}, rgb(0xd55e00));
            canvas.circle({140, 40}, 20, rgb(0x0072b2));
            canvas.text("눈치 nunchi", {20, 66}, {.size = 14, .color = canvas.theme().ink});
          }};
}

TEST(Drawing, IsTheSamePictureInEverySize) {
  const auto large = drawn(png_of(example()), "drawing");
  const auto small = image::decode(png_of(example(), 1), "small");
  EXPECT_EQ(large.width, 400);
  EXPECT_EQ(small.width, 200);
  EXPECT_GT(likeness(small, large), 0.95);
  auto other = example();
  other.draw = [](Canvas& canvas) { canvas.fill({20, 20, 60, 40}, rgb(0xd55e00)); };
  EXPECT_LT(likeness(image::decode(png_of(other, 1), "other"), large), 0.9);
}

TEST(Drawing, OnDarkPaper) {
  auto dark = example();
  dark.theme = dark_theme;
  const auto picture = drawn(png_of(dark), "drawing_dark");
  EXPECT_GT(count_of(picture, dark_theme.paper), 50'000);
  EXPECT_EQ(count_of(picture, paper), 0);
}

TEST(Drawing, IsAWellFormedSvg) {
  const auto svg = svg_of(example());
  EXPECT_THAT(svg, StartsWith("<?xml"));
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_FALSE(is_well_formed(svg.substr(0, svg.size() - 8)));
  EXPECT_THAT(svg, Not(HasSubstr("<text")));  // letters are outlines
}

TEST(Drawing, IsAPdfWithAPageForEach) {
  const std::array pages = {example(), example(300, 400), example()};
  const auto pdf = kept(pdf_of(pages), "pages.pdf");
  EXPECT_TRUE(is_pdf(pdf));
  EXPECT_EQ(occurrences(pdf, "/Type /Page "), 3);
  EXPECT_EQ(occurrences(pdf, "/Count 3\n"), 1);
  EXPECT_THAT(pdf, HasSubstr("/MediaBox [ 0 0 300 400 ]"));
  EXPECT_THAT(pdf, HasSubstr("/ToUnicode"));  // the words can be selected
  EXPECT_FALSE(is_pdf(pdf.substr(0, pdf.size() / 2)));
}

TEST(Drawing, TheEndOfTheNameSaysWhatIsWritten) {
  const TemporaryFolder folder;
  const auto first_bytes = [&](const char* name) {
    write_drawing(folder.path() / name, example());
    return read_file(folder.path() / name, 1'000'000).substr(0, 5);
  };
  EXPECT_EQ(first_bytes("a.png").substr(1, 3), "PNG");
  EXPECT_EQ(first_bytes("a.SVG"), "<?xml");
  EXPECT_EQ(first_bytes("a.pdf"), "%PDF-");
  try {
    write_drawing(folder.path() / "a.gif", example());
    FAIL() << "a.gif was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr(".gif"));
  }
  EXPECT_THROW(require_drawable("picture"), Error);
  EXPECT_NO_THROW(require_drawable("picture.Pdf"));
}

TEST(Canvas, TurnedWordsReadFromBelow) {
  Canvas canvas(60, 200);
  const TextStyle upright = {.size = 20, .align = Align::center},
                  turned = {.size = 20, .align = Align::center, .turned = true};
  const Size flat = canvas.measure("nunchi", upright), size = canvas.measure("nunchi", turned);
  EXPECT_NEAR(size.width, flat.height, 1e-9);
  EXPECT_NEAR(size.height, flat.width, 1e-9);
  canvas.text("nunchi", {30, 50}, turned);
  const auto picture = drawn(canvas.png(), "turned");
  const auto words = extent_of(picture, ink);
  EXPECT_GT(words.y, 2 * 50 - 4);
  EXPECT_LT(words.bottom(), 2 * (50 + size.height) + 4);
  EXPECT_NEAR(words.x + words.width / 2, 2 * 30, 8);
}

TEST(Canvas, WordsOfSeveralLinesEndAfterTheMost) {
  Canvas canvas(400, 400);
  const std::string long_text(400, 'w');
  const auto height = [&](int most) {
    return canvas.measure(long_text, {.most_width = 100, .several_lines = true, .most_lines = most}).height;
  };
  EXPECT_NEAR(height(2), 2 * height(1), 1);
  EXPECT_GT(height(0), 5 * height(1));
  EXPECT_THROW(canvas.svg(), Error);
  EXPECT_THROW(canvas.pdf(), Error);
  EXPECT_THROW(canvas.next_page(10, 10), Error);
}

}  // namespace
}  // namespace nunchi::draw
