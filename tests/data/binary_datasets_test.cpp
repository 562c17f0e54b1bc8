// MNIST's and CIFAR-10's own files.
#include <gmock/gmock.h>
#include <zlib.h>

#include <thread>

#include "data/dataset.h"
#include "data/gzip.h"
#include "tasks/cases.h"

namespace nunchi::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
namespace fs = std::filesystem;

std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
  return out;
}

std::string idx(const std::vector<std::uint32_t>& sizes, const std::string& content) {
  std::string out = big_endian(0x800 + static_cast<std::uint32_t>(sizes.size()));
  for (const auto size : sizes) out += big_endian(size);
  return out + content;
}

void write_packed(const fs::path& path, const std::string& text) {
  const auto file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
}

class Mnist : public testing::Test {
 protected:
  void write(const std::string& split, const std::string& pixels, const std::string& labels) const {
    const auto count = static_cast<std::uint32_t>(labels.size());
    write_file(folder_ / (split + "-images-idx3-ubyte"), idx({count, 2, 3}, pixels));
    write_file(folder_ / (split + "-labels-idx1-ubyte"), idx({count}, labels));
  }
  std::string error() const {
    try {
      open_dataset(folder_.path());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  const TemporaryFolder folder_;
};

TEST_F(Mnist, IsReadWithItsLabels) {
  write("train", "abcdefghijklmnopqr", {'\3', '\0', '\3'});
  write("t10k", "ABCDEFGHIJKL", {'\1', '\2'});
  const auto test = open_dataset(folder_.path());
  EXPECT_EQ(test.layout, "MNIST");
  EXPECT_EQ(test.split, "t10k");
  EXPECT_EQ(open_dataset(folder_.path(), {.split = "test"}).split, "t10k");
  EXPECT_EQ(test.samples[1].label, 2);
  EXPECT_EQ(test.samples[1].name, "t10k-images-idx3-ubyte #1");
  const auto train = open_dataset(folder_.path(), {.split = "train"});
  EXPECT_EQ(train.samples.size(), 3u);
  EXPECT_EQ(train.classes.size(), 10u);
  const auto picture = train.picture(1, {});
  EXPECT_EQ(picture.width, 3);
  EXPECT_EQ(picture.height, 2);
  EXPECT_EQ(picture.channels, 1);
  EXPECT_EQ(std::string(picture.pixels.begin(), picture.pixels.end()), "ghijkl");
}

TEST_F(Mnist, IsReadPackedAndFromTorchvisionsFolder) {
  const auto raw = folder_ / "MNIST/raw";
  fs::create_directories(raw);
  write_packed(raw / "train-images-idx3-ubyte.gz", idx({2, 1, 2}, "abcd"));
  write_packed(raw / "train-labels-idx1-ubyte.gz", idx({2}, {'\5', '\6'}));
  for (const auto& path : {folder_.path(), raw, raw / "train-images-idx3-ubyte.gz"}) {
    const auto dataset = open_dataset(path);
    ASSERT_EQ(dataset.samples.size(), 2u) << path;
    EXPECT_EQ(dataset.picture(1, {}).pixels[0], 'c');
    EXPECT_EQ(dataset.samples[0].label, 5);
  }
}

TEST_F(Mnist, SaysWhatIsDamaged) {
  write("train", "abcdefghijkl", {'\1', '\2'});
  const auto images = folder_ / "train-images-idx3-ubyte", labels = folder_ / "train-labels-idx1-ubyte";
  write_file(images, idx({2, 2, 3}, "abcdefghijk"));
  EXPECT_THAT(error(), AllOf(HasSubstr(images.string()), HasSubstr("11 bytes where its header promises 12")));
  write_file(images, idx({0xffffffff, 0xffffffff, 0xffffffff}, ""));
  EXPECT_THAT(error(), HasSubstr("make no sense"));
  write_file(images, "abc");
  EXPECT_THAT(error(), HasSubstr("found 3 bytes"));
  write_file(images, std::string(100, 'a'));
  EXPECT_THAT(error(), HasSubstr("61616161"));
  write_file(images, "\x1f\x8b junk that is no gzip stream");
  EXPECT_THAT(error(), HasSubstr("gzip"));
  write_file(images, idx({3, 2, 2}, "abcdefghijkl"));
  EXPECT_THAT(error(), HasSubstr("as many labels as pictures, found 2 and 3"));
  fs::remove(labels);
  EXPECT_THAT(error(), HasSubstr(labels.string()));
}

TEST(Mnist10k, IsTheRealOne) {
  SKIP_WITHOUT_SHARED("mnist/t10k-images-idx3-ubyte.gz");
  const auto dataset = open_dataset(shared_data("mnist"));
  ASSERT_EQ(dataset.samples.size(), 10000u);
  std::vector<int> counts(10);
  for (const auto& sample : dataset.samples) ++counts[static_cast<std::size_t>(sample.label)];
  EXPECT_THAT(counts, ElementsAre(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009));
  EXPECT_EQ(dataset.samples[0].label, 7);  // the first test digit
  EXPECT_EQ(open_dataset(shared_data("mnist"), {.split = "train"}).samples.size(), 60000u);
}

TEST(Gzip, StopsAtTheLimitAndAtACut) {
  const TemporaryFolder folder;
  write_packed(folder / "bomb.gz", std::string(1 << 20, '\0'));
  const auto bytes = read_file(folder / "bomb.gz", 1 << 20);
  const auto view = std::as_bytes(std::span(bytes));
  EXPECT_EQ(gunzip(view, 1 << 20, "bomb.gz").size(), 1u << 20);
  EXPECT_THAT([&] { gunzip(view, (1 << 20) - 1, "bomb.gz"); },
              ThrowsMessage<Error>(HasSubstr("bomb.gz: unpacks to more")));
  for (std::size_t size = 0; size < view.size(); size += 7) EXPECT_THROW(gunzip(view.first(size), 1 << 20, "x"), Error);
  auto damaged = bytes;
  damaged[damaged.size() - 6] ^= 1;  // the checksum
  EXPECT_THROW(gunzip(std::as_bytes(std::span(damaged)), 1 << 20, "x"), Error);
}

class Cifar10 : public testing::Test {
 protected:
  // Planes of one value each.
  static std::string record(int label, int red, int green, int blue) {
    std::string out(1, static_cast<char>(label));
    for (const int value : {red, green, blue}) out += std::string(1024, static_cast<char>(value));
    return out;
  }
  const TemporaryFolder folder_;
};

TEST_F(Cifar10, IsReadPlaneByPlane) {
  write_file(folder_ / "data_batch_1.bin", record(3, 1, 2, 3) + record(9, 4, 5, 6));
  write_file(folder_ / "data_batch_2.bin", record(0, 7, 8, 9));
  write_file(folder_ / "test_batch.bin", record(6, 10, 11, 12));
  const auto test = open_dataset(folder_.path());
  EXPECT_EQ(test.split, "test");
  EXPECT_EQ(test.classes[static_cast<std::size_t>(test.samples.at(0).label)], "frog");
  const auto train = open_dataset(folder_.path(), {.split = "train"});
  ASSERT_EQ(train.samples.size(), 3u);
  EXPECT_EQ(train.samples[2].name, "data_batch_2.bin #0");
  for (const auto& [index, first] : std::vector<std::pair<std::size_t, int>>{{0, 1}, {1, 4}, {2, 7}}) {
    const auto picture = train.picture(index, {});
    EXPECT_EQ(picture.width, 32);
    EXPECT_EQ(picture.channels, 3);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(picture.pixels[3 * 1023 + c], first + static_cast<int>(c));
  }
  const auto one = open_dataset(folder_ / "data_batch_2.bin");
  EXPECT_EQ(one.samples.size(), 1u);
  EXPECT_EQ(one.split, "train");
}

TEST_F(Cifar10, TakesTheNamesBesideIt) {
  write_file(folder_ / "test_batch.bin", record(1, 0, 0, 0));
  write_file(folder_ / "batches.meta.txt", "a\nb\r\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  EXPECT_EQ(open_dataset(folder_.path()).classes[1], "b");
}

TEST_F(Cifar10, SaysWhatIsDamaged) {
  const auto batch = folder_ / "test_batch.bin";
  write_file(batch, record(1, 0, 0, 0).substr(1));
  EXPECT_THAT([&] { open_dataset(folder_.path()); },
              ThrowsMessage<Error>(AllOf(HasSubstr(batch.string()), HasSubstr("3072 bytes"))));
  write_file(batch, record(1, 0, 0, 0) + record(10, 0, 0, 0));
  EXPECT_THAT([&] { open_dataset(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("record 1: expected a label of 0 to 9")));
  fs::remove(batch);
  write_file(folder_ / "test_batch", "a pickle");
  EXPECT_THAT([&] { open_dataset(folder_.path()); }, ThrowsMessage<Error>(HasSubstr("for Python")));
}

}  // namespace
}  // namespace nunchi::data
