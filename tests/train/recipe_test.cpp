#include "train/recipe.h"

#include <gmock/gmock.h>

#include "core/in_child.h"
#include "core/yaml.h"

namespace nunchi::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* small =
    "model:\n  arch: timm/vit_tiny_patch16_224\n  arguments: {depth: 2}\ndata:\n  path: cifar\n";

std::string error_in(const std::string& yaml, const std::vector<std::string>& words = {}) {
  return error_of([&] { parse_recipe(yaml, "r.yaml", words); });
}

TEST(Recipe, FieldsLeftOutHaveTheirDefaults) {
  const auto recipe = parse_recipe(small, "r.yaml");
  EXPECT_EQ(recipe.model.arch, "timm/vit_tiny_patch16_224");
  EXPECT_EQ(recipe.model.arguments, Json({{"depth", 2}}));
  EXPECT_EQ(recipe.optimizer.kind, "adamw");
  EXPECT_EQ(recipe.optimizer.learning_rate, 1e-3);
  EXPECT_EQ(recipe.schedule.epochs, 10);
}

TEST(Recipe, WordsCountMoreThanTheFile) {
  const auto recipe = parse_recipe(small, "r.yaml",
                                   {"optimizer.learning_rate=5e-4", "model.arguments.depth=9", "augment.size=[32, 48]",
                                    "run.precision=bf16", "model.freeze_backbone=true", "model.arguments.img_size=32"});
  EXPECT_EQ(recipe.optimizer.learning_rate, 5e-4);
  EXPECT_EQ(recipe.model.arguments, Json({{"depth", 9}, {"img_size", 32}}));
  EXPECT_THAT(recipe.augment.size, ElementsAre(32, 48));
  EXPECT_EQ(recipe.run.precision, "bf16");
  EXPECT_TRUE(recipe.model.freeze_backbone);
}

TEST(Recipe, AnUnknownFieldNamesTheNearestWithFileAndLine) {
  const std::string text = std::string(small) + "optimizer:\n  lerning_rate: 1\n";
  EXPECT_THAT(error_in(text), HasSubstr("r.yaml:7: no field \"optimizer.lerning_rate\" is known; the nearest is "
                                        "\"optimizer.learning_rate\""));
  EXPECT_THAT(error_in(std::string(small) + "optimiser:\n  kind: sgd\n"),
              HasSubstr("r.yaml:7: no field \"optimiser\""));
  EXPECT_THAT(error_in(small, {"optimizer.rate=1"}), HasSubstr("\"optimizer.rate=1\": no field"));
  EXPECT_THAT(error_in(small, {"nonsense"}), HasSubstr("nonsense: expected section.field=value"));
  EXPECT_THAT(error_in(small, {"data.path.deeper=1"}), HasSubstr("data.path.deeper=1"));
}

TEST(Recipe, AWrongValueIsToldWithWhatIsExpected) {
  const auto with = [](const std::string& more) { return error_in(small + more); };
  EXPECT_THAT(with("schedule:\n  epochs: many\n"),
              HasSubstr("r.yaml:7: schedule.epochs: expected a whole number, found \"many\""));
  EXPECT_THAT(with("schedule:\n  epochs: 1.5\n"), HasSubstr("expected a whole number"));
  EXPECT_THAT(with("schedule:\n  epochs: 0\n"), HasSubstr("expected 1 to 1000000, found 0"));
  EXPECT_THAT(with("optimizer:\n  kind: adam\n"), HasSubstr("expected one of adamw, sgd, found \"adam\""));
  EXPECT_THAT(with("augment:\n  mean: [1, 2]\n"), HasSubstr("augment.mean: expected 3 numbers"));
  EXPECT_THAT(with("augment:\n  flip: 2\n"), HasSubstr("augment.flip: expected 0 to 1"));
  EXPECT_THAT(with("run: 3\n"), HasSubstr("r.yaml:6: run: expected fields below it"));
  EXPECT_THAT(error_in(small, {"schedule.epochs=x"}),
              HasSubstr("\"schedule.epochs=x\": schedule.epochs: expected a whole"));
  EXPECT_THAT(error_in("data:\n  path: x\n"), HasSubstr("expected arch (from scratch) or checkpoint"));
  EXPECT_THAT(error_in("model:\n  arch: x\n"), HasSubstr("data.path: expected a dataset"));
  EXPECT_THAT(error_in("- 1\n"), HasSubstr("expected a recipe"));
}

TEST(Recipe, WrittenBackItIsCompleteAndTheSame) {
  const auto recipe = parse_recipe(small, "r.yaml", {"augment.mean=[0.1, 0.2, 0.3]", "optimizer.learning_rate=0.0003"});
  const auto again = parse_recipe(to_yaml(to_json(recipe)), "again.yaml");
  EXPECT_EQ(to_json(again), to_json(recipe));
  EXPECT_THAT(differences(again, recipe), ElementsAre());
  for (const auto& section : {"model", "data", "augment", "optimizer", "schedule", "loss", "regularisation", "run"})
    EXPECT_TRUE(to_json(recipe).contains(section)) << section;
}

TEST(Recipe, OnlyWhatChangesTheResultIsADifference) {
  const auto before = parse_recipe(small, "r.yaml");
  EXPECT_THAT(differences(parse_recipe(small, "r.yaml", {"data.workers=7", "run.save_every_seconds=1"}), before),
              ElementsAre());
  EXPECT_THAT(differences(parse_recipe(small, "r.yaml", {"optimizer.learning_rate=0.01"}), before),
              ElementsAre("optimizer.learning_rate: 0.01, was 0.001"));
}

}  // namespace
}  // namespace nunchi::train
