#include "data/loader.h"

#include <gmock/gmock.h>

#include <atomic>
#include <numeric>
#include <set>
#include <thread>

#include "core/error.h"
#include "tasks/cases.h"

namespace nunchi::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;
using namespace std::chrono_literals;

// Pictures of one byte, the number of the sample; those in `broken` cannot be read.
Dataset numbered(std::size_t samples, const std::set<std::size_t>& broken = {}) {
  Dataset dataset{.layout = "numbers", .classes = {"even", "odd"}};
  for (std::size_t i = 0; i < samples; ++i)
    dataset.samples.push_back({"picture " + std::to_string(i), static_cast<std::int64_t>(i % 2)});
  dataset.picture = [broken](std::size_t index, const image::DecodeOptions&) {
    if (broken.contains(index)) throw Error(ErrorKind::input, "picture " + std::to_string(index) + ": broken");
    auto picture = image::make_picture(1, 1, 1);
    picture.pixels[0] = static_cast<std::uint8_t>(index);
    return picture;
  };
  return dataset;
}

std::vector<std::size_t> all_of(const Dataset& dataset) {
  std::vector<std::size_t> indices(dataset.samples.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

// Two numbers: the picture's, and one of chance.
void two_numbers(const image::Picture& picture, Random& random, std::span<float> out) {
  out[0] = picture.pixels[0];
  out[1] = static_cast<float>(random.uniform());
}

LoaderOptions small(LoaderOptions options = {}) {
  options.batch = 10;
  options.seed = 5;
  options.shape = {1, 1, 2};
  return options;
}

std::vector<Batch> rest_of(Loader& loader) {
  std::vector<Batch> batches;
  while (auto batch = loader.next()) batches.push_back(std::move(*batch));
  return batches;
}

void expect_equal(const std::vector<Batch>& found, const std::vector<Batch>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].pixels, expected[i].pixels);
    EXPECT_EQ(found[i].labels, expected[i].labels);
    EXPECT_EQ(found[i].indices, expected[i].indices);
    EXPECT_THAT(found[i].failures, SizeIs(expected[i].failures.size()));
  }
}

TEST(Loader, GivesEverySampleOnceAnEpochWithItsLabel) {
  const auto dataset = numbered(95);
  Loader loader(dataset, all_of(dataset), two_numbers, small({.drop_last = false}));
  EXPECT_EQ(loader.batches(), 10u);
  loader.start(0);
  std::set<std::size_t> seen;
  for (const auto& batch : rest_of(loader)) {
    EXPECT_EQ(batch.pixels.size(), 2 * batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      EXPECT_TRUE(seen.insert(batch.indices[i]).second);
      EXPECT_EQ(batch.pixels[2 * i], static_cast<float>(batch.indices[i]));
      EXPECT_EQ(batch.labels[i], static_cast<std::int64_t>(batch.indices[i] % 2));
    }
  }
  EXPECT_EQ(seen.size(), 95u);
  EXPECT_FALSE(loader.next());
}

TEST(Loader, LeavesAnIncompleteBatchOutWhereAsked) {
  const auto dataset = numbered(95);
  Loader loader(dataset, all_of(dataset), two_numbers, small());
  loader.start(0);
  EXPECT_THAT(rest_of(loader), SizeIs(9));
}

TEST(Loader, TheNumberOfWorkersChangesNothing) {
  const auto dataset = numbered(200, {17, 18, 150});
  std::vector<std::vector<Batch>> epochs;
  for (const std::uint64_t epoch : {0, 1}) {
    Loader alone(dataset, all_of(dataset), two_numbers, small({.workers = 0}));
    alone.start(epoch);
    const auto expected = rest_of(alone);
    for (const int workers : {1, 2, 3}) {
      for (const std::size_t prefetch : {1, 4, 50}) {
        Loader loader(dataset, all_of(dataset), two_numbers, small({.workers = workers, .prefetch = prefetch}));
        loader.start(epoch);
        expect_equal(rest_of(loader), expected);
      }
    }
    epochs.push_back(expected);
  }
  EXPECT_NE(epochs[0][0].indices, epochs[1][0].indices);
}

TEST(Loader, TheMiddleOfAnEpochIsTheSameFromWhereverItStarts) {
  const auto dataset = numbered(200);
  for (const int workers : {0, 1, 2, 3}) {
    Loader loader(dataset, all_of(dataset), two_numbers, small({.workers = workers}));
    loader.start(3);
    auto expected = rest_of(loader);
    expected.erase(expected.begin(), expected.begin() + 13);
    loader.start(7);
    ASSERT_TRUE(loader.next());
    loader.start(3, 13);  // in the middle of another epoch
    expect_equal(rest_of(loader), expected);
    loader.start(3, 20);
    EXPECT_FALSE(loader.next());
  }
}

TEST(Loader, KeepsTheOrderOfItsIndicesWithoutShuffling) {
  const auto dataset = numbered(50);
  Loader loader(dataset, {4, 2, 9, 9, 0}, two_numbers, small({.shuffle = false, .drop_last = false}));
  loader.start(0);
  EXPECT_THAT(loader.next()->indices, ElementsAre(4, 2, 9, 9, 0));
}

TEST(Loader, BrokenPicturesAreLeftOutAndNamed) {
  const auto dataset = numbered(30, {3, 4, 9, 20});
  for (const int workers : {0, 2}) {
    Loader loader(dataset, all_of(dataset), two_numbers, small({.workers = workers, .shuffle = false}));
    loader.start(0);
    const auto batches = rest_of(loader);
    ASSERT_THAT(batches, SizeIs(3));
    EXPECT_THAT(batches[0].indices, ElementsAre(0, 1, 2, 5, 6, 7, 8));
    EXPECT_THAT(batches[0].labels, ElementsAre(0, 1, 0, 1, 0, 1, 0));
    ASSERT_THAT(batches[0].pixels, SizeIs(14));
    EXPECT_EQ(batches[0].pixels[6], 5);
    ASSERT_THAT(batches[0].failures, SizeIs(3));
    EXPECT_EQ(batches[0].failures[1].index, 4u);
    EXPECT_EQ(batches[0].failures[1].message, "picture 4: broken");
    EXPECT_THAT(batches[1].failures, IsEmpty());
    EXPECT_EQ(batches[2].size(), 9u);
  }
}

TEST(Loader, ABatchOfBrokenPicturesIsEmpty) {
  const auto dataset = numbered(10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  Loader loader(dataset, all_of(dataset), two_numbers, small());
  loader.start(0);
  const auto batch = loader.next();
  EXPECT_EQ(batch->size(), 0u);
  EXPECT_THAT(batch->pixels, IsEmpty());
  EXPECT_THAT(batch->failures, SizeIs(10));
}

TEST(Loader, AnotherFailureEndsTheEpochAndNotTheLoader) {
  const auto dataset = numbered(100);
  for (const int workers : {0, 1, 3}) {
    std::atomic<bool> fails = true;
    const auto source = [&](const image::Picture& picture, Random& random, std::span<float> out) {
      if (fails && picture.pixels[0] == 42) throw std::bad_alloc();
      two_numbers(picture, random, out);
    };
    Loader loader(dataset, all_of(dataset), source, small({.workers = workers, .shuffle = false}));
    loader.start(0);
    EXPECT_THROW(rest_of(loader), std::bad_alloc);
    EXPECT_FALSE(loader.next());
    fails = false;
    loader.start(0);
    EXPECT_THAT(rest_of(loader), SizeIs(10));
  }
}

TEST(Loader, MayBeDestroyedAndStartedAnewAtAnyMoment) {
  const auto dataset = numbered(250, {7});
  for (std::size_t round = 0; round < 60; ++round) {
    Loader loader(dataset, all_of(dataset), two_numbers, small({.workers = 3, .prefetch = 3, .keep_decoded = true}));
    for (std::uint64_t epoch = 0; epoch < round % 4; ++epoch) {
      loader.start(epoch, round % 9);
      for (std::size_t i = 0; i < round % 5; ++i) loader.next();
      if (round % 3 == 0) std::this_thread::sleep_for(50us);
    }
  }
}

TEST(Loader, DestructionDropsWhatIsInWork) {
  const auto dataset = numbered(4000);
  std::atomic<int> pictures = 0;
  const auto slow = [&](const image::Picture&, Random&, std::span<float>) {
    ++pictures;
    std::this_thread::sleep_for(5ms);
  };
  {
    Loader loader(dataset, all_of(dataset), slow, small({.workers = 2, .prefetch = 400}));
    loader.start(0);
    while (pictures < 2) std::this_thread::yield();
  }
  EXPECT_LT(pictures, 4000);  // all of them would take ten seconds
}

TEST(Loader, WorksAheadAsFarAsAllowed) {
  const auto dataset = numbered(250);
  std::atomic<std::size_t> pictures = 0;
  const auto counting = [&](const image::Picture& picture, Random& random, std::span<float> out) {
    two_numbers(picture, random, out);
    ++pictures;
  };
  Loader loader(dataset, all_of(dataset), counting, small({.workers = 3, .prefetch = 4}));
  loader.start(0);
  for (std::size_t taken = 0; taken < 5; ++taken) {
    while (pictures < 10 * (taken + 4)) std::this_thread::yield();
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(pictures, 10 * (taken + 4));
    loader.next();
  }
}

TEST(Loader, KeepsPicturesThatFitTheLimit) {
  auto dataset = numbered(100, {8});
  std::atomic<int> reads = 0;
  dataset.picture = [&reads, read = dataset.picture](std::size_t index, const image::DecodeOptions& options) {
    ++reads;
    return read(index, options);
  };
  for (const auto& [limit, second_reads] : std::map<std::uint64_t, int>{{1000, 1}, {60, 40}, {0, 100}}) {
    Loader loader(dataset, all_of(dataset), two_numbers, small({.keep_decoded = true, .keep_bytes = limit}));
    loader.start(0);
    rest_of(loader);
    reads = 0;
    loader.start(1);
    const auto kept = rest_of(loader);
    EXPECT_EQ(reads, second_reads);
    Loader plain(dataset, all_of(dataset), two_numbers, small());
    plain.start(1);
    expect_equal(kept, rest_of(plain));
  }
}

TEST(Loader, RefusesOptionsThatMakeNoBatch) {
  const auto dataset = numbered(5);
  const auto made_with = [&](const LoaderOptions& options) {
    return [&dataset, options] { Loader loader(dataset, all_of(dataset), two_numbers, options); };
  };
  const LoaderOptions whole{.batch = 2, .shape = {1, 1, 2}};
  auto options = whole;
  options.batch = 0;
  EXPECT_THAT(made_with(options), ThrowsMessage<Error>(HasSubstr("batch")));
  options.batch = 6;
  EXPECT_THAT(made_with(options), ThrowsMessage<Error>(AllOf(HasSubstr("6 pictures"), HasSubstr("found 5"))));
  options = whole, options.prefetch = 0;
  EXPECT_THAT(made_with(options), ThrowsMessage<Error>(HasSubstr("prefetch")));
  options = whole, options.workers = -1;
  EXPECT_THAT(made_with(options), ThrowsMessage<Error>(HasSubstr("workers")));
  options = whole, options.shape = {};
  EXPECT_THAT(made_with(options), ThrowsMessage<Error>(HasSubstr("shape")));
}

TEST(SplitSamples, HoldsTheSamePartOfEveryClassBack) {
  Dataset dataset{.classes = {"a", "b", "none", "c"}};
  for (int i = 0; i < 100; ++i) dataset.samples.push_back({"", i < 60 ? 0 : i < 90 ? 1 : 3});
  const auto split = split_samples(dataset, 0.2, 1);
  std::array<int, 4> counts{};
  for (const auto index : split.validation) ++counts.at(static_cast<std::size_t>(dataset.samples[index].label));
  EXPECT_THAT(counts, ElementsAre(12, 6, 0, 2));
  std::set<std::size_t> together(split.train.begin(), split.train.end());
  together.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(together.size(), 100u);
  EXPECT_EQ(split.train.size(), 80u);
  EXPECT_TRUE(std::ranges::is_sorted(split.train));
  EXPECT_EQ(split_samples(dataset, 0.2, 1).validation, split.validation);
  EXPECT_NE(split_samples(dataset, 0.2, 2).validation, split.validation);
  EXPECT_THAT(split_samples(dataset, 0, 1).validation, IsEmpty());
  EXPECT_THAT([&] { split_samples(dataset, 1, 1); }, ThrowsMessage<Error>(HasSubstr("fraction")));
  EXPECT_THAT([&] { split_samples(dataset, -0.1, 1); }, ThrowsMessage<Error>(HasSubstr("fraction")));
}

TEST(SharedCifar, LoadsFromItsZip) {
  SKIP_WITHOUT_SHARED("cifar10-jpeg/cifar10_jpeg_all.zip");
  const auto dataset = open_dataset(shared_data("cifar10-jpeg/cifar10_jpeg_all.zip"), {.split = "train"});
  const auto split = split_samples(dataset, 0.1, 1);
  EXPECT_THAT(split.validation, SizeIs(5000));
  const auto copy = [](const image::Picture& picture, Random&, std::span<float> out) {
    std::ranges::copy(picture.pixels, out.begin());
  };
  Loader loader(dataset, split.train, copy, {.shape = {3, 32, 32}});
  loader.start(0);
  const auto batch = loader.next();
  EXPECT_EQ(batch->size(), 128u);
  const auto first = dataset.picture(batch->indices[100], {});
  EXPECT_TRUE(std::ranges::equal(first.pixels, std::span(batch->pixels).subspan(100 * 3072, 3072)));
}

}  // namespace
}  // namespace nunchi::data
