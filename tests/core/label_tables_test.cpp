#include "core/label_tables.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>

namespace nunchi {
namespace {

const LabelTable& table(const std::string& name) { return *find_label_table(name); }

TEST(LabelTables, HaveTheirSizes) {
  const std::vector<std::pair<std::string, std::size_t>> expected = {
      {"imagenet", 1000}, {"imagenet-background", 1001}, {"coco", 80}, {"coco-ids", 91}, {"voc", 21}, {"cifar10", 10},
      {"mnist", 10}};
  ASSERT_EQ(label_tables().size(), expected.size());
  for (const auto& [name, size] : expected) EXPECT_EQ(table(name).labels.size(), size) << name;
  EXPECT_EQ(find_label_table("nothing"), nullptr);
}

// REQUIREMENTS R076.
TEST(LabelTables, NameImageNetsClasses) {
  const auto& imagenet = table("imagenet");
  EXPECT_EQ(imagenet.labels[0], "tench, Tinca tinca");
  EXPECT_EQ(imagenet.labels[282], "tiger cat");
  EXPECT_THAT(imagenet.labels[999], testing::StartsWith("toilet tissue"));
  EXPECT_EQ(imagenet.ids[281], "n02123045");
  EXPECT_EQ(index_of_id(imagenet, "n02123045"), 281u);
  EXPECT_EQ(std::set(imagenet.ids.begin(), imagenet.ids.end()).size(), 1000u);
  for (const auto& synset : imagenet.ids) EXPECT_TRUE(std::regex_match(synset, std::regex("n[0-9]{8}"))) << synset;
}

TEST(LabelTables, BackgroundComesFirstInTensorFlows) {
  const auto &imagenet = table("imagenet"), &shifted = table("imagenet-background");
  EXPECT_EQ(shifted.labels[0], "background");
  EXPECT_EQ(index_of_id(shifted, ""), std::nullopt);
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(shifted.labels[i + 1], imagenet.labels[i]);
    EXPECT_EQ(shifted.ids[i + 1], imagenet.ids[i]);
  }
}

TEST(LabelTables, MapCocosCategoryIds) {
  const auto& coco = table("coco");
  EXPECT_EQ(index_of_id(coco, "1"), 0u);
  EXPECT_EQ(index_of_id(coco, "12"), std::nullopt);  // one of the ten that are not used
  EXPECT_EQ(index_of_id(coco, "13"), 11u);
  EXPECT_EQ(index_of_id(coco, "90"), 79u);
  EXPECT_EQ(coco.labels[0], "person");
  EXPECT_EQ(coco.labels[79], "toothbrush");
  EXPECT_EQ(table("coco-ids").labels[90], "toothbrush");
  EXPECT_EQ(table("coco-ids").labels[12], "N/A");
  EXPECT_EQ(table("coco-ids").labels[0], "N/A");
}

TEST(LabelTables, NameTheOthers) {
  EXPECT_EQ(table("voc").labels.front(), "background");
  EXPECT_EQ(table("voc").labels.back(), "tvmonitor");
  EXPECT_EQ(table("cifar10").labels[9], "truck");
  EXPECT_EQ(table("mnist").labels[7], "7");
}

}  // namespace
}  // namespace nunchi
