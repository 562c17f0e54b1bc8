#include "tasks/labels.h"

#include <gmock/gmock.h>

#include "core/log.h"
#include "tasks/cases.h"

namespace nunchi::tasks {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Json json(const char* text) { return Json::parse(text); }

TEST(LabelsOf, AreTransformersOrTimms) {
  EXPECT_THAT(labels_of(json(R"({"id2label": {"0": "cat", "1": "dog", "7": "?", "x": "?"}})"), 2),
              ElementsAre("cat", "dog"));
  EXPECT_THAT(labels_of(json(R"({"label_names": ["n1", "n2"], "label_descriptions": {"n1": "cat"}})"), 2),
              ElementsAre("cat", "n2"));
  EXPECT_THAT(labels_of(json(R"({"label_names": ["a", "b", "c"]})"), 2), ElementsAre("LABEL_0", "LABEL_1"));
  EXPECT_THAT(labels_of(json(R"({"id2label": {"1": "dog"}})"), 3), ElementsAre("LABEL_0", "dog", "LABEL_2"));
}

TEST(LabelsOf, FallBackToImageNetsAndSaySo) {
  std::string said;
  set_log_sink([&](LogLevel, std::string_view message) { said = message; });
  EXPECT_EQ(labels_of(json("{}"), 1000)[282], "tiger cat");
  EXPECT_THAT(said, HasSubstr("ImageNet"));
  EXPECT_EQ(labels_of(json(R"({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}})"), 1001)[283], "tiger cat");
  said.clear();
  EXPECT_EQ(labels_of(json(R"({"id2label": {"0": "mine"}})"), 1000)[282], "LABEL_282");
  EXPECT_EQ(labels_of(json("{}"), 999)[282], "LABEL_282");
  EXPECT_EQ(said, "");
  set_log_sink({});
}

class ReadLabels : public testing::Test {
 protected:
  std::vector<std::string> read(const std::string& name, const std::string& text, std::int64_t classes) const {
    write_file(folder_ / name, text);
    return read_labels((folder_ / name).string(), classes);
  }
  const TemporaryFolder folder_;
};

TEST_F(ReadLabels, ReadsEveryKindOfFile) {
  const auto expected = ElementsAre("tabby, cat", "dog");
  EXPECT_THAT(read("a.txt", "tabby, cat\r\ndog\n\n", 2), expected);
  EXPECT_THAT(read("a.json", R"(["tabby, cat", "dog"])", 2), expected);
  EXPECT_THAT(read("b.json", R"({"1": "dog", "0": "tabby, cat"})", 2), expected);
  EXPECT_THAT(read("c.json", R"({"id2label": {"0": "tabby, cat", "1": "dog"}, "x": 1})", 2), expected);
  EXPECT_THAT(read("a.csv", "id,name\n1,dog\n0,\"tabby, cat\"\n", 2), expected);
  EXPECT_THAT(read("a.tsv", "0\ttabby, cat\n1\tdog\n", 2), expected);
}

TEST_F(ReadLabels, TakesTheTables) {
  EXPECT_EQ(read_labels("imagenet", 1000)[0], "tench, Tinca tinca");
  EXPECT_EQ(read_labels("coco", 80)[79], "toothbrush");
  EXPECT_THAT([] { read_labels("imagenet", 1001); },
              ThrowsMessage<Error>(AllOf(HasSubstr("1001 labels"), HasSubstr("--labels imagenet-background"))));
}

TEST_F(ReadLabels, SaysWhatIsWrong) {
  EXPECT_THAT([] { read_labels("nothing", 10); }, ThrowsMessage<Error>(AllOf(HasSubstr("coco"), HasSubstr("neither"))));
  EXPECT_THAT([&] { read("a.txt", "a\nb\n", 3); },
              ThrowsMessage<Error>(AllOf(HasSubstr("expected 3 labels"), HasSubstr("found 2"))));
  EXPECT_THAT([&] { read("a.csv", "0,a\n2,b\n", 2); }, ThrowsMessage<Error>(HasSubstr("no id 1")));
  EXPECT_THAT([&] { read("a.csv", "0,a\n0,b\n", 2); }, ThrowsMessage<Error>(HasSubstr("the id 0 twice")));
  EXPECT_THAT([&] { read("a.csv", "0,a\nx,b\n", 2); }, ThrowsMessage<Error>(HasSubstr("the id \"x\"")));
  EXPECT_THAT([&] { read("a.csv", "0,a\n99999999999,b\n", 2); }, ThrowsMessage<Error>(HasSubstr("99999999999")));
  EXPECT_THAT([&] { read("a.csv", "a\n", 1); }, ThrowsMessage<Error>(HasSubstr("line 1")));
  EXPECT_THAT([&] { read("a.json", "[1]", 1); }, ThrowsMessage<Error>(HasSubstr("found 1")));
  EXPECT_THROW(read("a.json", "3", 1), Error);
  EXPECT_THROW(read("a.json", "{", 1), Error);
}

}  // namespace
}  // namespace nunchi::tasks
