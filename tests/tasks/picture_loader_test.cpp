#include "tasks/picture_loader.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "core/in_child.h"
#include "tasks/cases.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

image::Transform exact_transform() {
  return VisionModel({.path = case_model("vit_classifier")}).transform();
}  // always 48 x 48
image::Transform free_transform() {
  return VisionModel({.path = case_model("dinov2_non_square")}).transform();
}  // keeps the shape

class Loader : public testing::TestWithParam<int> {
 protected:
  std::vector<fs::path> write_pictures(int count) const {
    std::vector<fs::path> paths;
    for (int i = 0; i < count; ++i) {
      paths.push_back(folder_ / fmt::format("{}.ppm", i));
      write_ppm(paths.back(), 40 + 3 * (i % 4), 50 - i % 5, i);
    }
    return paths;
  }

  const TemporaryFolder folder_;
};

TEST_P(Loader, KeepsTheOrderAndThePixels) {
  const auto paths = write_pictures(23);
  const auto transform = exact_transform();
  PictureLoader loader(paths, transform, {.batch = 4, .threads = GetParam(), .decode = {}});
  std::size_t next = 0;
  while (const auto batch = loader.next()) {
    EXPECT_EQ(batch->pixels.size(0), static_cast<std::int64_t>(batch->indices.size()));
    for (std::size_t i = 0; i < batch->indices.size(); ++i, ++next) {
      ASSERT_EQ(batch->indices[i], next);
      const auto alone = image::apply(transform, image::read_picture(paths[next]));
      const float* row = batch->pixels[static_cast<std::int64_t>(i)].const_data_ptr<float>();
      ASSERT_TRUE(std::equal(alone.values.begin(), alone.values.end(), row)) << paths[next];
    }
  }
  EXPECT_EQ(next, paths.size());
  EXPECT_FALSE(loader.next());
}

TEST_P(Loader, ReportsFailuresInBetweenAndGoesOn) {
  auto paths = write_pictures(9);
  write_file(paths[0], "no picture");
  write_file(paths[4], "P6\n40 40\n255\nshort");
  fs::remove(paths[8]);
  PictureLoader loader(paths, exact_transform(), {.batch = 3, .threads = GetParam(), .decode = {}});
  std::vector<std::size_t> good, bad;
  while (const auto batch = loader.next()) {
    good.insert(good.end(), batch->indices.begin(), batch->indices.end());
    for (const auto& failure : batch->failures) {
      bad.push_back(failure.index);
      EXPECT_THAT(failure.message, HasSubstr(paths[failure.index].string()));
    }
  }
  EXPECT_THAT(good, ElementsAre(1, 2, 3, 5, 6, 7));
  EXPECT_THAT(bad, ElementsAre(0, 4, 8));
}

TEST_P(Loader, PicturesOfAnotherSizeBeginAnotherBatch) {
  std::vector<fs::path> paths;
  const std::vector<std::pair<int, int>> sizes = {{40, 40}, {40, 40}, {80, 40}, {80, 40}, {80, 40}, {40, 40}};
  for (const auto& [width, height] : sizes) {
    paths.push_back(folder_ / fmt::format("{}.ppm", paths.size()));
    write_ppm(paths.back(), width, height);
  }
  PictureLoader loader(paths, free_transform(), {.batch = 8, .threads = GetParam(), .decode = {}});
  std::vector<std::size_t> counts;
  while (const auto batch = loader.next()) counts.push_back(batch->indices.size());
  EXPECT_THAT(counts, ElementsAre(2, 3, 1));
}

TEST_P(Loader, OnlyFailuresMakeABatchWithoutPictures) {
  const std::vector<fs::path> paths(5, folder_ / "absent.png");
  PictureLoader loader(paths, exact_transform(), {.batch = 2, .threads = GetParam(), .decode = {}});
  const auto batch = loader.next();
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->indices.empty());
  EXPECT_EQ(batch->failures.size(), 5u);
  EXPECT_FALSE(loader.next());
}

TEST_P(Loader, MayBeDestroyedEarly) {
  const auto paths = write_pictures(40);
  const auto transform = exact_transform();
  for (int taken = 0; taken < 3; ++taken) {
    PictureLoader loader(paths, transform, {.batch = 2, .threads = GetParam(), .decode = {}});
    for (int i = 0; i < taken; ++i) EXPECT_TRUE(loader.next());
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Loader, testing::Values(1, 2, 3, 4));

TEST(PictureLoader, OfNothingGivesNothing) {
  PictureLoader loader({}, exact_transform(), {});
  EXPECT_FALSE(loader.next());
}

TEST(PictureLoader, RefusesPicturesAboveTheLimit) {
  const TemporaryFolder folder;
  write_ppm(folder / "a.ppm", 30, 30);
  PictureLoader loader({folder / "a.ppm"}, exact_transform(),
                       {.batch = 1, .threads = 1, .decode = {.max_pixels = 899}});
  EXPECT_THAT(loader.next()->failures.front().message, testing::AllOf(HasSubstr("899"), HasSubstr("30 x 30")));
}

// Threads are a limited good in containers: fewer than asked for is slower, none is an error; neither may hang.
TEST(PictureLoader, GoesOnWithTheThreadsThatItGets) {
  const TemporaryFolder folder;
  write_ppm(folder / "a.ppm", 30, 30);
  fs::permissions(folder.path(), fs::perms::others_all, fs::perm_options::add);
  const auto transform = exact_transform();
  const auto end = in_child([&] {
    drop_root();
    const rlimit limit{2, 2};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0) return 1;
    alarm(20);
    try {
      PictureLoader loader(std::vector<fs::path>(8, folder / "a.ppm"), transform,
                           {.batch = 8, .threads = 8, .decode = {}});
      const auto batch = loader.next();
      return batch->failures.empty() && batch->indices.size() == 8 ? 0 : 2;
    } catch (const std::system_error&) {
      return 0;
    }
  });
  EXPECT_EQ(end.exit_code, 0) << "signal " << end.signal;
}

}  // namespace
}  // namespace nunchi::tasks
