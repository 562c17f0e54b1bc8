#include "train/training_state.h"

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include "core/file.h"
#include "core/in_child.h"
#include "core/temporary_folder.h"

namespace nunchi::train {
namespace {

using testing::HasSubstr;

TrainingState state_at(std::int64_t step) {
  TrainingState state{.recipe = {{"model", {{"arch", "x"}}}},
                      .position = {.epoch = 2, .batch = 3, .step = step},
                      .epoch_sums = {.loss = 0.1, .hits = 5, .pictures = 7, .skipped = 1},
                      .last = EpochResult{.epoch = 2, .loss = 1.0 / 3, .accuracy = 0.5, .validation = {}},
                      .seconds = 1e-3};
  state.last->validation = EpochResult::Validation{.loss = 0.3, .top1 = 2.0 / 3, .top5 = 1, .pictures = 9};
  state.add("model", {{"head.weight", at::arange(6, at::kFloat).view({2, 3})}, {"steps", at::arange(2, at::kLong)}});
  state.add("random", {{"cpu", at::arange(9, at::kByte)}});
  return state;
}

class TrainingStateFiles : public testing::Test {
 protected:
  void cut(const std::string& name) const {
    std::filesystem::resize_file(folder_ / name, std::filesystem::file_size(folder_ / name) - 1);
  }
  const TemporaryFolder folder_;
};

TEST_F(TrainingStateFiles, ReadBackAsWritten) {
  EXPECT_FALSE(load_state(folder_.path()).has_value());
  save_state(folder_.path(), state_at(7));
  const auto state = load_state(folder_.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->position, (Position{2, 3, 7}));
  EXPECT_EQ(state->epoch_sums.loss, 0.1);
  EXPECT_EQ(state->epoch_sums.skipped, 1);
  EXPECT_EQ(state->last->loss, 1.0 / 3);
  EXPECT_EQ(state->last->validation->top1, 2.0 / 3);
  EXPECT_FALSE(state->best);
  EXPECT_EQ(state->recipe, state_at(7).recipe);
  const auto model = state->part("model");
  ASSERT_EQ(model.size(), 2u);
  EXPECT_TRUE(model.at("head.weight").equal(at::arange(6, at::kFloat).view({2, 3})));
  EXPECT_TRUE(model.at("steps").equal(at::arange(2, at::kLong)));
  EXPECT_TRUE(state->part("random").at("cpu").equal(at::arange(9, at::kByte)));
}

TEST_F(TrainingStateFiles, TheLastTwoAreKept) {
  for (const auto step : {1, 2, 3}) save_state(folder_.path(), state_at(step));
  EXPECT_EQ(load_state(folder_.path())->position.step, 3);
  cut("state.0.safetensors");  // step 3 took the place of step 1
  EXPECT_EQ(load_state(folder_.path())->position.step, 2);
  save_state(folder_.path(), state_at(4));  // over the damaged one
  EXPECT_EQ(load_state(folder_.path())->position.step, 4);
  cut("state.0.safetensors");
  cut("state.1.safetensors");
  EXPECT_THAT(error_of([&] { load_state(folder_.path()); }), HasSubstr("state."));
  remove_states(folder_.path());
  EXPECT_FALSE(load_state(folder_.path()).has_value());
}

TEST_F(TrainingStateFiles, OtherTensorsAreNoState) {
  write_file(folder_ / "state.0.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  EXPECT_THAT(error_of([&] { load_state(folder_.path()); }), HasSubstr("expected the state of a training"));
}

}  // namespace
}  // namespace nunchi::train
