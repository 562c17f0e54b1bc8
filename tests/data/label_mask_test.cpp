#include "data/label_mask.h"

#include <gmock/gmock.h>

#include <set>

#include "core/file.h"
#include "image/encode.h"
#include "tasks/cases.h"

namespace nunchi::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LabelMasks : public testing::Test {
 protected:
  std::filesystem::path written(const std::string& name, int channels, const std::vector<std::uint8_t>& values) const {
    const int width = 2, height = static_cast<int>(values.size()) / channels / width;
    auto picture = image::make_picture(width, height, channels);
    std::ranges::copy(values, picture.pixels.begin());
    write_file(folder_ / name, image::encode_png(picture));
    return folder_ / name;
  }

  const TemporaryFolder folder_;
};

TEST_F(LabelMasks, GreyValuesAreLabelsAnd255IsNothing) {
  const auto mask = read_label_mask(written("grey.png", 1, {0, 7, 255, 2}));
  EXPECT_THAT(mask.labels, ElementsAre(0, 7, -1, 2));
  EXPECT_EQ(mask.at(0.9, 0.1), 7);
  EXPECT_EQ(mask.at(0.0, 0.99), -1);
  EXPECT_EQ(mask.at(-0.01, 0.5), LabelMask::nothing);
  EXPECT_EQ(mask.at(1.0, 0.5), LabelMask::nothing);
}

TEST_F(LabelMasks, ColoursAreNumberedAndTheBorderOfVocIsNothing) {
  const auto mask = read_label_mask(written("voc.png", 3, {0, 0, 0, 128, 0, 0, 224, 224, 192, 0, 128, 0}));
  EXPECT_THAT(mask.labels, ElementsAre(0, 1, -1, 2)) << "background, aeroplane, border, bicycle";
  EXPECT_THAT(read_label_mask(written("cat.png", 3, {0, 0, 0, 64, 0, 0, 192, 128, 128, 64, 0, 0})).labels,
              ElementsAre(0, 8, 15, 8))
      << "cat and person, whatever else is in the picture";
}

TEST_F(LabelMasks, AreFoundByThePicturesName) {
  const auto mask = written("cat.png", 1, {0, 1});
  EXPECT_EQ(label_mask_file(mask.parent_path(), "photos/cat.jpg"), mask);
  EXPECT_EQ(label_mask_file(mask.parent_path(), mask), std::nullopt) << "no picture is its own mask";
  EXPECT_EQ(label_mask_file(mask.parent_path(), "photos/dog.jpg"), std::nullopt);
  EXPECT_EQ(label_mask_file("absent", "cat.jpg"), std::nullopt);
}

TEST_F(LabelMasks, WhatChangesColoursIsRefused) {
  try {
    read_label_mask("cat.jpg");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("without loss"));
  }
}

TEST_F(LabelMasks, RealOnesAreRead) {
  SKIP_WITHOUT_SHARED("photos/dog_segmentation_mask.bmp");
  const auto mask = read_label_mask(shared_data("photos/dog_segmentation_mask.bmp"));
  EXPECT_EQ(mask.width, 128);
  EXPECT_THAT(std::set<int>(mask.labels.begin(), mask.labels.end()), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace nunchi::data
