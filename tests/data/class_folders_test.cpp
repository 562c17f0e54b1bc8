#include <gmock/gmock.h>

#include "data/dataset.h"
#include "data/zip_writer.h"
#include "tasks/cases.h"

namespace nunchi::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
namespace fs = std::filesystem;

std::vector<std::string> names_of(const Dataset& dataset) {
  std::vector<std::string> names;
  for (const auto& sample : dataset.samples)
    names.push_back(dataset.classes[static_cast<std::size_t>(sample.label)] + ":" +
                    fs::path(sample.name).filename().string());
  return names;
}

class ClassFolders : public testing::Test {
 protected:
  void add(const std::string& name, int seed = 0) const {
    fs::create_directories((folder_ / name).parent_path());
    write_ppm(folder_ / name, 4, 3, seed);
  }
  std::string bytes(int seed) const {
    write_ppm(folder_ / "any.ppm", 4, 3, seed);
    return read_file(folder_ / "any.ppm", 1000);
  }
  const TemporaryFolder folder_;
};

using ClassZip = ClassFolders;

TEST_F(ClassFolders, AreClassesInTheOrderOfTheirNames) {
  for (const auto* name : {"data/dog/2.ppm", "data/dog/1.PPM", "data/Cat/a.ppm", "data/dog/more/3.ppm"}) add(name);
  add("data/.git/x.ppm");
  write_file(folder_ / "data/dog/notes.txt", "no picture");
  add("data/of-no-class.ppm");
  const auto dataset = open_dataset(folder_ / "data");
  EXPECT_EQ(dataset.layout, "class folders");
  EXPECT_EQ(dataset.split, "");
  EXPECT_THAT(dataset.splits, IsEmpty());
  EXPECT_THAT(dataset.classes, ElementsAre("Cat", "dog"));
  EXPECT_THAT(names_of(dataset), ElementsAre("Cat:a.ppm", "dog:1.PPM", "dog:2.ppm", "dog:3.ppm"));
  EXPECT_EQ(dataset.picture(3, {}).width, 4);
}

TEST_F(ClassFolders, FollowLinksToPicturesAndToFolders) {
  add("elsewhere/a.ppm");
  fs::create_directories(folder_ / "data/cat");
  fs::create_symlink(folder_ / "elsewhere/a.ppm", folder_ / "data/cat/b.ppm");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "data/dog");
  EXPECT_THAT(names_of(open_dataset(folder_ / "data")), ElementsAre("cat:b.ppm", "dog:a.ppm"));
}

TEST_F(ClassFolders, TakeTheSplitThatIsAskedFor) {
  for (const auto* name : {"data/train/cat/1.ppm", "data/train/dog/2.ppm", "data/val/cat/3.ppm"}) add(name);
  const auto by_default = open_dataset(folder_ / "data");
  EXPECT_EQ(by_default.split, "val");
  EXPECT_THAT(by_default.splits, ElementsAre("train", "val"));
  EXPECT_THAT(names_of(by_default), ElementsAre("cat:3.ppm"));
  EXPECT_EQ(open_dataset(folder_ / "data", {.split = "validation"}).split, "val");
  EXPECT_EQ(open_dataset(folder_ / "data", {.split = "train"}).samples.size(), 2u);
  EXPECT_THAT([&] { open_dataset(folder_ / "data", {.split = "test"}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("--split test"), HasSubstr("train, val"))));
  EXPECT_THAT([&] { open_dataset(folder_ / "data/train", {.split = "test"}); },
              ThrowsMessage<Error>(HasSubstr("no splits")));
}

// A class may be called "test" where its neighbours are no splits.
TEST_F(ClassFolders, AClassMayHaveTheNameOfASplit) {
  add("data/test/1.ppm"), add("data/tube/2.ppm");
  EXPECT_THAT(open_dataset(folder_ / "data").classes, ElementsAre("test", "tube"));
}

TEST_F(ClassFolders, SayWhatIsMissing) {
  EXPECT_THAT([&] { open_dataset(folder_ / "nowhere"); }, ThrowsMessage<Error>(HasSubstr("no such file or folder")));
  EXPECT_THAT([&] { open_dataset(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("one folder of pictures per class")));
  fs::create_directories(folder_ / "data/cat");
  EXPECT_THAT([&] { open_dataset(folder_ / "data"); }, ThrowsMessage<Error>(HasSubstr("expected pictures")));
  add("model.bin");
  EXPECT_THAT([&] { open_dataset(folder_ / "model.bin"); },
              ThrowsMessage<Error>(HasSubstr("found a file that is none")));
}

TEST_F(ClassFolders, ABrokenPictureIsToldWhenItIsRead) {
  add("data/cat/1.ppm");
  write_file(folder_ / "data/cat/2.ppm", "P6\n4 3\n255\n");
  const auto dataset = open_dataset(folder_ / "data");
  ASSERT_EQ(dataset.samples.size(), 2u);
  EXPECT_EQ(dataset.picture(0, {}).height, 3);
  EXPECT_THAT([&] { dataset.picture(1, {}); }, ThrowsMessage<Error>(HasSubstr("data/cat/2.ppm")));
}

TEST_F(ClassZip, IsReadAsTheFolderItHolds) {
  const auto one = bytes(1), two = bytes(2);
  write_zip(folder_ / "data.zip", {{"outer/inner/train/cat/1.ppm", one},
                                   {"outer/inner/test/dog/2.ppm", two},
                                   {"outer/inner/test/cat/more/3.ppm", one},
                                   {"outer/inner/test/readme.txt", "text"},
                                   {"__MACOSX/outer/inner/test/cat/._1.ppm", "junk"}});
  const auto dataset = open_dataset(folder_ / "data.zip");
  EXPECT_EQ(dataset.split, "test");
  EXPECT_THAT(dataset.splits, ElementsAre("test", "train"));
  EXPECT_THAT(dataset.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(names_of(dataset), ElementsAre("cat:3.ppm", "dog:2.ppm"));
  EXPECT_THAT(dataset.samples[1].name, EndsWith("data.zip/outer/inner/test/dog/2.ppm"));
  write_file(folder_ / "two.ppm", two);
  const auto expected = image::read_picture(folder_ / "two.ppm");
  const auto found = dataset.picture(1, {});
  EXPECT_TRUE(std::ranges::equal(found.pixels, expected.pixels));
}

TEST_F(ClassZip, KeepsASingleClass) {
  write_zip(folder_ / "data.zip", {{"cat/1.ppm", bytes(1)}, {"cat/2.ppm", bytes(2)}});
  const auto dataset = open_dataset(folder_ / "data.zip");
  EXPECT_THAT(dataset.classes, ElementsAre("cat"));
  EXPECT_EQ(dataset.samples.size(), 2u);
}

TEST_F(ClassZip, SaysWhatIsMissing) {
  write_zip(folder_ / "flat.zip", {{"1.ppm", bytes(1)}});
  EXPECT_THAT([&] { open_dataset(folder_ / "flat.zip"); }, ThrowsMessage<Error>(HasSubstr("expected a dataset")));
  write_zip(folder_ / "empty.zip", {});
  EXPECT_THAT([&] { open_dataset(folder_ / "empty.zip"); }, ThrowsMessage<Error>(HasSubstr("empty.zip")));
  write_file(folder_ / "not.zip", "text");
  EXPECT_THAT([&] { open_dataset(folder_ / "not.zip"); }, ThrowsMessage<Error>(HasSubstr("not.zip")));
  write_zip(folder_ / "broken.zip", {{"cat/1.ppm", "P6\n4 3\n255\n"}});
  EXPECT_THAT([&] { open_dataset(folder_ / "broken.zip").picture(0, {}); },
              ThrowsMessage<Error>(HasSubstr("broken.zip/cat/1.ppm")));
}

TEST(Cifar10Zip, HasAllOfItsPictures) {
  SKIP_WITHOUT_SHARED("cifar10-jpeg/cifar10_jpeg_all.zip");
  const auto path = shared_data("cifar10-jpeg/cifar10_jpeg_all.zip");
  const auto test = open_dataset(path);
  EXPECT_EQ(test.split, "test");
  EXPECT_EQ(test.samples.size(), 10000u);
  EXPECT_THAT(test.classes,
              ElementsAre("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"));
  EXPECT_EQ(test.picture(9999, {}).width, 32);
  EXPECT_EQ(open_dataset(path, {.split = "train"}).samples.size(), 50000u);
}

}  // namespace
}  // namespace nunchi::data
