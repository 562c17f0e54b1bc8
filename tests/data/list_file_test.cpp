#include <gmock/gmock.h>

#include "data/dataset.h"
#include "tasks/cases.h"

namespace nunchi::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class ListFile : public testing::Test {
 protected:
  Dataset open(const std::string& name, const std::string& text, const std::string& split = "") const {
    write_file(folder_ / name, text);
    return open_dataset(folder_ / name, {.split = split});
  }
  // "class:file" of every sample.
  std::vector<std::string> pairs(const Dataset& dataset) const {
    std::vector<std::string> found;
    for (const auto& sample : dataset.samples)
      found.push_back(dataset.classes[static_cast<std::size_t>(sample.label)] + ":" +
                      std::filesystem::path(sample.name).lexically_relative(folder_.path()).string());
    return found;
  }
  const TemporaryFolder folder_;
};

TEST_F(ListFile, IsReadWithAndWithoutAHeader) {
  const auto expected = ElementsAre("cat:a.ppm", "big, \"dog\":in/b c.ppm");
  EXPECT_THAT(pairs(open("a.csv", "a.ppm,cat\nin/b c.ppm,\"big, \"\"dog\"\"\"\n")), expected);
  EXPECT_THAT(pairs(open("b.csv", "id,Label,File\n1,cat,a.ppm\n2,\"big, \"\"dog\"\"\", in/b c.ppm \n")), expected);
  EXPECT_THAT(pairs(open("c.tsv", "path\tlabel\na.ppm\tcat\nin/b c.ppm\t\"big, \"\"dog\"\"\"\n")), expected);
  EXPECT_THAT(pairs(open("d.txt", "a.ppm cat\r\n\nin/b c.ppm   dog")), ElementsAre("cat:a.ppm", "dog:in/b c.ppm"));
}

TEST_F(ListFile, NumbersAreSortedAsNumbers) {
  EXPECT_THAT(open("a.csv", "a,10\nb,9\nc,10\n").classes, ElementsAre("9", "10"));
  EXPECT_THAT(open("a.csv", "a,10\nb,9\nc,x\n").classes, ElementsAre("10", "9", "x"));
}

TEST_F(ListFile, ReadsItsPicturesFromItsOwnFolder) {
  write_ppm(folder_ / "a.ppm", 5, 4);
  const auto dataset = open("list.csv", "a.ppm,x\nmissing.ppm,x\n");
  EXPECT_EQ(dataset.picture(0, {}).width, 5);
  EXPECT_THAT([&] { dataset.picture(1, {}); }, ThrowsMessage<Error>(HasSubstr("missing.ppm")));
}

TEST_F(ListFile, MayNameSplits) {
  const std::string text = "path,label,split\na,x,train\nb,y,val\nc,x,val\n";
  EXPECT_THAT(pairs(open("a.csv", text)), ElementsAre("y:b", "x:c"));
  EXPECT_THAT(pairs(open("a.csv", text, "train")), ElementsAre("x:a"));
  EXPECT_THAT(open("a.csv", text, "train").classes, ElementsAre("x", "y"));
  EXPECT_THROW(open("b.csv", "a,x\n", "train"), Error);
}

TEST_F(ListFile, NamesTheLineThatIsWrong) {
  EXPECT_THAT([&] { open("a.csv", "a,x\nb\n"); }, ThrowsMessage<Error>(HasSubstr("a.csv: line 2: expected a path")));
  EXPECT_THAT([&] { open("a.csv", "a,x\n\n,x\n"); }, ThrowsMessage<Error>(HasSubstr("line 3")));
  EXPECT_THAT([&] { open("a.txt", "justapath\n"); }, ThrowsMessage<Error>(HasSubstr("line 1")));
  EXPECT_THAT([&] { open("a.csv", "path,label\n"); }, ThrowsMessage<Error>(HasSubstr("found none")));
  EXPECT_THAT([&] { open("a.csv", ""); }, ThrowsMessage<Error>(HasSubstr("found none")));
}

}  // namespace
}  // namespace nunchi::data
