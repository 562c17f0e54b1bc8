#include "data/boxes.h"

#include <gmock/gmock.h>

#include "core/file.h"
#include "tasks/cases.h"

namespace nunchi::data {
namespace {

using testing::HasSubstr;

constexpr const char* cell = R"(<annotation>
  <size><width>640</width><height>480</height><depth>3</depth></size>
  <object><name>WBC</name>
    <bndbox><xmin>1</xmin><ymin>121</ymin><xmax>320</xmax><ymax>480</ymax></bndbox>
  </object>
</annotation>
)";

void expect_box(const LabelledBox& box, const LabelledBox& expected) {
  EXPECT_EQ(box.label, expected.label);
  EXPECT_DOUBLE_EQ(box.left, expected.left);
  EXPECT_DOUBLE_EQ(box.top, expected.top);
  EXPECT_DOUBLE_EQ(box.right, expected.right);
  EXPECT_DOUBLE_EQ(box.bottom, expected.bottom);
}

class Boxes : public testing::Test {
 protected:
  std::vector<LabelledBox> read(const std::string& name, const std::string& text) const {
    write_file(folder_ / name, text);
    return read_boxes(folder_ / name);
  }
  std::string error(const std::string& name, const std::string& text) const {
    try {
      read(name, text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "no error";
  }
  const TemporaryFolder folder_;
};

TEST_F(Boxes, OfYoloAreCentreAndSize) {
  const auto boxes = read("a.txt", "16 0.5 0.25 0.2 0.5\n\n0 0.1 0.1 0.2 0.2\r\n");
  ASSERT_EQ(boxes.size(), 2U);
  expect_box(boxes[0], {.label = "16", .left = 0.4, .top = 0, .right = 0.6, .bottom = 0.5});
  expect_box(boxes[1], {.label = "0", .left = 0, .top = 0, .right = 0.2, .bottom = 0.2});
  EXPECT_TRUE(read("empty.txt", "").empty());
}

TEST_F(Boxes, OfVocAreCornersInPixelsFromOne) {
  const auto boxes = read("a.xml", cell);
  ASSERT_EQ(boxes.size(), 1U);
  expect_box(boxes[0], {.label = "WBC", .left = 0, .top = 0.25, .right = 0.5, .bottom = 1});
}

TEST_F(Boxes, WhatIsWrongIsToldWithItsLine) {
  EXPECT_THAT(error("a.txt", "1 0.5 0.5 0.5 0.5\n1 0.5 0.5 wide 0.5\n"), HasSubstr("a.txt:2: expected CLASS X Y"));
  EXPECT_THAT(error("a.txt", "1 0.5 0.5 nan 0.5"), HasSubstr("a.txt:1: "));
  EXPECT_THAT(error("a.xml", "<annotation>\n<size>"), HasSubstr("a.xml:2: "));
  EXPECT_THAT(error("a.xml", "<boxes/>"), HasSubstr("expected <annotation>"));
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = cell;
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_THAT(error("a.xml", with("<xmin>1</xmin>", "")), HasSubstr("a.xml:4: expected <xmin> in <bndbox>"));
  EXPECT_THAT(error("a.xml", with(">320<", ">inf<")), HasSubstr("<xmax>: expected a number, found \"inf\""));
  EXPECT_THAT(error("a.xml", with(">640<", ">0<")), HasSubstr("a.xml:2: expected a size"));
}

// Every cut and every changed byte is boxes or an error, never a crash.
TEST_F(Boxes, OfDamagedFilesAreAnErrorOrBoxes) {
  const std::string whole = cell;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    error("cut.xml", whole.substr(0, i));
    for (const char other : {'\0', '<', '&', '9', '\xff'}) {
      auto text = whole;
      text[i] = other;
      error("changed.xml", text);
    }
  }
}

TEST_F(Boxes, FileOfAPictureHasItsName) {
  write_file(folder_ / "a.b.txt", "");
  write_file(folder_ / "c.xml", "");
  EXPECT_EQ(boxes_file(folder_.path(), "photos/a.b.jpg"), folder_ / "a.b.txt");
  EXPECT_EQ(boxes_file(folder_.path(), "c.png"), folder_ / "c.xml");
  EXPECT_EQ(boxes_file(folder_.path(), "a.png"), std::nullopt);
}

}  // namespace
}  // namespace nunchi::data
