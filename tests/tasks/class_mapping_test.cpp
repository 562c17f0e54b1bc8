#include "tasks/class_mapping.h"

#include <gmock/gmock.h>

#include "core/label_tables.h"
#include "tasks/cases.h"
#include "tasks/labels.h"

namespace nunchi::tasks {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::ThrowsMessage;
using Names = std::vector<std::string>;

// The class of each name; none or several are failures.
std::vector<std::int64_t> ids(const Names& labels, const Names& classes) {
  std::vector<std::int64_t> found;
  for (const auto& each : map_classes(labels, classes, {}).classes) {
    EXPECT_THAT(each, SizeIs(1));
    found.push_back(each.empty() ? -1 : each.front());
  }
  return found;
}

std::string error(const Names& labels, const Names& classes) {
  try {
    map_classes(labels, classes, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

const Names& imagenet() { return find_label_table("imagenet")->labels; }
const Names& with_background() { return find_label_table("imagenet-background")->labels; }

TEST(MapClasses, ByTheLabelItsWordsAndAnySpelling) {
  EXPECT_THAT(ids(imagenet(), {"tabby, tabby cat", "Egyptian_cat", "tiger-cat", "Samoyede", "HOTDOG", "daisy"}),
              ElementsAre(281, 285, 282, 258, 934, 985));
  EXPECT_THAT(ids({"a b", "A_B", "c"}, {"A_B", "C", "a b"}), ElementsAre(1, 2, 0));
}

TEST(MapClasses, BySynset) {
  const Names synsets = {"n02123045", "n02123159-tiger_cat", "n01440764 tench"};
  EXPECT_THAT(ids(imagenet(), synsets), ElementsAre(281, 282, 0));
  EXPECT_THAT(ids(with_background(), synsets), ElementsAre(282, 283, 1));
  EXPECT_THAT(ids({"n01440764", "n02123045"}, {"n02123045"}), ElementsAre(1));       // labels that are synsets
  EXPECT_THAT(ids({"tiger cat", "tabby", "tench"}, synsets), ElementsAre(1, 0, 2));  // labels of a part of ImageNet
  // The two cranes have one name, and two synsets.
  EXPECT_THAT(ids(imagenet(), {"n02012849", "n03126707"}), ElementsAre(134, 517));
  EXPECT_THAT(error(imagenet(), {"n99999999"}), HasSubstr("n99999999"));
}

TEST(MapClasses, ByIndex) {
  EXPECT_THAT(ids(imagenet(), {"000", "281", "999"}), ElementsAre(0, 281, 999));
  EXPECT_THAT(ids(unnamed_labels(10), {"0", "9", "3"}), ElementsAre(0, 9, 3));
  EXPECT_THAT(ids({"9", "8", "7"}, {"7", "8", "9"}), ElementsAre(2, 1, 0));  // names before indices
  EXPECT_THAT(error(imagenet(), {"0", "1000"}), HasSubstr("\"1000\": the model has 1000 classes"));
  const auto shifted = map_classes(with_background(), {"0", "281"}, {});
  EXPECT_THAT(shifted.classes, ElementsAre(ElementsAre(1), ElementsAre(282)));
  EXPECT_THAT(shifted.remarks, ElementsAre(HasSubstr("background")));
}

TEST(MapClasses, InOrderWhereTheModelHasNoNames) {
  const auto mapping = map_classes(unnamed_labels(2), {"cat", "dog"}, {});
  EXPECT_THAT(mapping.classes, ElementsAre(ElementsAre(0), ElementsAre(1)));
  EXPECT_THAT(mapping.remarks, ElementsAre(HasSubstr("in order")));
  EXPECT_THAT(error(unnamed_labels(3), {"cat", "dog"}), HasSubstr("\"cat\""));
}

TEST(MapClasses, TellsWhatIsMissingAmbiguousOrTwice) {
  EXPECT_THAT(error(imagenet(), {"tabby", "cat", "zzz"}),
              AllOf(HasSubstr("2 of the dataset's 3 classes"), HasSubstr("\"cat\": no class"), HasSubstr("Persian cat"),
                    HasSubstr("\"zzz\": no class"), HasSubstr("--map")));
  EXPECT_THAT(error(imagenet(), {"crane"}), AllOf(HasSubstr("134 \"crane\""), HasSubstr("517 \"crane\"")));
  EXPECT_THAT(error(imagenet(), {"tabby", "Tabby_cat"}),
              HasSubstr("\"tabby\" and \"Tabby_cat\" are both the model's 281"));
  Names many;
  for (int i = 0; i < 30; ++i) many.push_back(fmt::format("zzz{}", i));
  EXPECT_THAT(error(imagenet(), many), AllOf(HasSubstr("zzz9"), Not(HasSubstr("zzz10")), HasSubstr("and 20 more")));
}

class MappingFile : public testing::Test {
 protected:
  ClassMapping map(const std::string& name, const std::string& text, const Names& classes) const {
    write_file(folder_ / name, text);
    return map_classes(imagenet(), classes, folder_ / name);
  }
  const TemporaryFolder folder_;
};

TEST_F(MappingFile, NamesWhatTheNamesDoNot) {
  const auto mapping = map("m.csv", "cat,281,\"tiger cat\",n02123394\nbird,\n", {"bird", "cat", "daisy"});
  EXPECT_THAT(mapping.classes, ElementsAre(IsEmpty(), ElementsAre(281, 282, 283), ElementsAre(985)));
  EXPECT_THAT(mapping.remarks, ElementsAre(HasSubstr("\"bird\" is left out")));
  const auto json =
      map("m.json", R"({"cat": [281, "tiger cat", "n02123394"], "bird": null})", {"bird", "cat", "daisy"});
  EXPECT_EQ(json.classes, mapping.classes);
}

TEST_F(MappingFile, SaysWhatIsWrong) {
  EXPECT_THAT([&] { map("m.csv", "cat,unicorn\n", {"cat"}); }, ThrowsMessage<Error>(HasSubstr("unicorn")));
  EXPECT_THAT([&] { map("m.csv", "cat,1000\n", {"cat"}); }, ThrowsMessage<Error>(HasSubstr("counted from 0")));
  EXPECT_THAT([&] { map("m.csv", "cat,1\ndog,1\n", {"cat", "dog"}); }, ThrowsMessage<Error>(HasSubstr("are both")));
  EXPECT_THAT([&] { map("m.json", "[1]", {"cat"}); }, ThrowsMessage<Error>(HasSubstr("m.json")));
  EXPECT_THAT([&] { map("m.json", R"({"cat": 1.5})", {"cat"}); }, ThrowsMessage<Error>(HasSubstr("1.5")));
  EXPECT_THROW(map_classes(imagenet(), {"cat"}, folder_ / "nowhere.csv"), Error);
}

TEST(SameLabel, IsTheSameClassOfTwoModels) {
  EXPECT_TRUE(same_label("tabby, tabby cat", "Tabby"));
  EXPECT_TRUE(same_label("hot_dog", "hot dog"));
  EXPECT_FALSE(same_label("tabby, tabby cat", "tiger cat"));
}

}  // namespace
}  // namespace nunchi::tasks
