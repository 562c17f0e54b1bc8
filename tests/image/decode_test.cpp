#include "image/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "image/encode.h"
#include "image/golden.h"
#include "image/random.h"

namespace nunchi::image {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string summary(const Picture& picture) {
  return fmt::format("{} {} {}", picture.width, picture.height, hash_text(picture.pixels));
}

std::string summary_of(const std::filesystem::path& path) {
  try {
    return summary(read_picture(path)) + " " + summary(read_picture(path, {.apply_exif_orientation = false}));
  } catch (const Error& error) {
    return std::string("error: ") + error.what();
  }
}

// Compares every file of a golden list with what Pillow made of it.
void expect_as_pillow(const std::string& list, const std::filesystem::path& folder, std::size_t at_least) {
  const auto lines = golden_lines(list);
  ASSERT_GE(lines.size(), at_least);
  for (const std::string& line : lines) {
    const auto space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string expected = line.substr(space + 1);
    const std::string found = summary_of(folder / name);
    if (expected.starts_with("error")) {
      EXPECT_THAT(found, HasSubstr("error")) << name;
    } else {
      EXPECT_EQ(found, expected) << name;
    }
  }
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string file_bytes(const std::string& name) { return read_file(golden() / "decode" / name, 1 << 20); }

std::vector<std::filesystem::path> golden_pictures() { return list_files(golden() / "decode"); }

TEST(Decode, EveryKindOfFileEqualsPillow) { expect_as_pillow("decode.txt", golden() / "decode", 150); }

TEST(Decode, EveryRealPhotoEqualsPillow) {
  if (!std::filesystem::exists(shared() / "photos")) GTEST_SKIP() << "no shared data beside the checkout";
  expect_as_pillow("photos.txt", shared(), 29);
}

TEST(Decode, NamesWhatWasFoundInstead) {
  const auto message = [](const std::string& text) {
    try {
      decode(bytes_of(text), "thing.jpg");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(""), HasSubstr("thing.jpg: expected a picture (JPEG, PNG"));
  EXPECT_THAT(message(""), HasSubstr("empty file"));
  EXPECT_THAT(message(std::string(90, '\0')), HasSubstr("90 bytes that begin with zeros"));
  EXPECT_THAT(message("%PDF-1.7 and so on"), HasSubstr("a PDF"));
  EXPECT_THAT(message("<!doctype html><html>"), HasSubstr("markup"));
  EXPECT_THAT(message("....ftypheic"), HasSubstr("HEIC"));
  EXPECT_THAT(message("abc"), HasSubstr("61 62 63"));
  EXPECT_THAT([] { read_picture("/nowhere/cat.jpg"); }, ThrowsMessage<Error>(HasSubstr("/nowhere/cat.jpg")));
}

TEST(Decode, ThePixelLimitIsCheckedFirst) {
  for (const char* name :
       {"sampling0.jpg", "color2_8bit.png", "lossy.webp", "rgb_raw.tif", "gray.bmp", "rgb.ppm", "plain.gif"}) {
    const std::string file = file_bytes(name);
    EXPECT_THAT([&] { decode(bytes_of(file), name, {.max_pixels = 100}); },
                ThrowsMessage<Error>(HasSubstr("at most 100 pixels")))
        << name;
  }
}

TEST(Decode, HugeSizesInSmallFilesAreRefused) {
  const std::string ppm = "P6 13000 13000 255\n";
  EXPECT_THROW(decode(bytes_of(ppm), "x"), Error);
  std::string bmp = file_bytes("color24.bmp");
  bmp[20] = 0x70;  // width
  EXPECT_THROW(decode(bytes_of(bmp), "x"), Error);
}

// What ends early is an error or, where only bytes behind the pixels are lost, still the same picture.
TEST(Decode, TruncatedFilesAreErrorsOrWhole) {
  int cuts = 0;
  for (const auto& path : golden_pictures()) {
    const std::string file = read_file(path, 1 << 20);
    const std::string whole = summary_of(path);
    if (whole.starts_with("error")) continue;
    const std::string expected = summary(decode(bytes_of(file), path.string()));
    const std::size_t step = std::max<std::size_t>(1, file.size() / 60);
    for (std::size_t length = 0; length < file.size(); length += step, ++cuts) {
      const std::string part = file.substr(0, length);
      try {
        const std::string found = summary(decode(bytes_of(part), path.string()));
        // Losing the orientation turns a picture, but every pixel is there.
        if (path.extension() != ".png" && path.extension() != ".webp") {
          EXPECT_EQ(found, expected) << path << " cut to " << length;
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), HasSubstr(path.filename().string()));
      }
    }
  }
  EXPECT_GT(cuts, 5000);
}

TEST(Decode, TruncatedPhotosAreErrors) {
  if (!std::filesystem::exists(shared() / "photos")) GTEST_SKIP() << "no shared data beside the checkout";
  for (const char* name : {"owl.jpg", "cat.bmp", "parrot.jpg"}) {
    const std::string file = read_file(shared() / "photos" / name, 1 << 24);
    for (int percent = 1; percent < 100; percent += 7) {
      const std::string part = file.substr(0, file.size() * static_cast<std::size_t>(percent) / 100);
      EXPECT_THROW(decode(bytes_of(part), name), Error) << name << " cut to " << percent << " %";
    }
    EXPECT_THROW(decode(bytes_of(file.substr(0, file.size() - 2)), name), Error) << name;
  }
}

TEST(Decode, FlippedBytesNeverCrash) {
  Random random(1);
  for (const auto& path : golden_pictures()) {
    const std::string file = read_file(path, 1 << 20);
    for (int round = 0; round < 40; ++round) {
      std::string broken = file;
      for (int flip = random.between(1, 4); flip > 0; --flip) {
        const int within =
            round % 2 == 0 ? std::min<int>(200, static_cast<int>(file.size())) : static_cast<int>(file.size());
        broken[static_cast<std::size_t>(random.between(0, within - 1))] = static_cast<char>(random.between(0, 255));
      }
      try {
        const Picture picture = decode(bytes_of(broken), path.string(), {.max_pixels = 1'000'000});
        EXPECT_EQ(picture.pixels.size(),
                  static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * 3);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
      }
    }
  }
}

TEST(Decode, LooksLikePictureByExtension) {
  EXPECT_TRUE(looks_like_picture("a/b.JPG"));
  EXPECT_TRUE(looks_like_picture("x.tiff"));
  EXPECT_FALSE(looks_like_picture("jpg"));
  EXPECT_FALSE(looks_like_picture("a.jpg.txt"));
}

TEST(Encode, PngComesBackUnchanged) {
  const Picture color = random_picture(4, 31, 17, 3);
  EXPECT_EQ(decode(encode_png(color), "x.png").pixels, color.pixels);
  const Picture gray = random_picture(5, 31, 17, 1);
  const Picture back = decode(encode_png(gray), "x.png");
  for (std::size_t i = 0; i < gray.pixels.size(); ++i) ASSERT_EQ(back.pixels[3 * i + 1], gray.pixels[i]);
}

}  // namespace
}  // namespace nunchi::image
