#include "train/trainer.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "core/in_child.h"
#include "core/interrupt.h"
#include "formats/safetensors.h"
#include "tasks/cases.h"
#include "train/tiny.h"
#include "weights/checkpoint.h"

namespace nunchi::train {
namespace {

using testing::Contains;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Training : public testing::Test {
 protected:
  Training() {
    at::set_num_threads(1);  // so small tensors gain nothing from more, and lose all where other tests run beside
    write_tiny_dataset(folder_ / "data");
  }
  ~Training() override { clear_stop(); }

  Recipe recipe(const std::vector<std::string>& words = {}) const {
    return parse_recipe(tiny_recipe(folder_ / "data"), "tiny.yaml", words);
  }
  std::string bytes(const std::string& name) const { return read_file(folder_ / name, 1 << 28); }

  // The log without what depends on the clock.
  std::vector<std::string> log(const std::string& run) const {
    std::vector<std::string> lines;
    std::istringstream text(bytes(run + "/journal.jsonl"));
    for (std::string line; std::getline(text, line);) {
      Json json = Json::parse(line);
      for (const auto* field : {"seconds", "images_per_second"}) json.erase(field);
      lines.push_back(json.dump());
    }
    return lines;
  }

  // Everything that a later step depends on.
  void expect_same_end(const std::string& run, const std::string& other) const {
    EXPECT_EQ(log(run), log(other));
    for (const auto* file : {"model/model.safetensors", "last/model.safetensors"})
      EXPECT_TRUE(bytes(run + "/" + file) == bytes(other + "/" + file)) << file;
    const auto left = load_state(folder_ / run), right = load_state(folder_ / other);
    ASSERT_TRUE(left && right);
    EXPECT_EQ(left->position, right->position);
    ASSERT_EQ(left->tensors.size(), right->tensors.size());
    for (const auto& [name, tensor] : left->tensors) EXPECT_TRUE(tensor.equal(right->tensors.at(name))) << name;
  }

  const TemporaryFolder folder_;
};

TEST_F(Training, MakesTheLossSmallAndTheAnswersRight) {
  std::vector<double> losses;
  const auto result =
      train(recipe({"schedule.epochs=8"}),
            {.run = folder_ / "run", .on_epoch = [&](const EpochResult& r) { losses.push_back(r.loss); }});
  EXPECT_FALSE(result.stopped);
  ASSERT_EQ(losses.size(), 8u);
  EXPECT_LT(losses.back(), 0.8 * losses.front());
  EXPECT_GE(result.best->validation->top1, 0.9);
  EXPECT_EQ(result.position, (Position{8, 0, 48}));
  for (const auto* name : {"recipe.yaml", "journal.jsonl", "events.out.tfevents.nunchi", "model/config.json"})
    EXPECT_TRUE(fs::exists(folder_ / "run" / name)) << name;
}

TEST_F(Training, ASecondCallFindsItDone) {
  const auto first = train(recipe(), {.run = folder_ / "run"});
  const auto model = bytes("run/model/model.safetensors");
  std::int64_t steps = 0;
  const auto again = train(recipe(), {.run = folder_ / "run", .on_step = [&](const StepReport&) { ++steps; }});
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(to_json(*again.best), to_json(*first.best));
  EXPECT_EQ(bytes("run/model/model.safetensors"), model);
}

struct Way {
  const char* name;
  std::vector<std::string> words;
};

class Resumed : public Training, public testing::WithParamInterface<Way> {
 protected:
  // Calls train() until it is done; `interrupt` is called after each step.
  void until_done(const std::string& run, const Recipe& how, const std::function<void(std::int64_t step)>& interrupt) {
    for (int parts = 0; parts < 100; ++parts) {
      try {
        const auto on_step = [&](const StepReport& report) { interrupt(report.position.step); };
        if (!train(how, {.run = folder_ / run, .on_step = on_step}).stopped) return;
      } catch (const std::logic_error&) {
      }
      clear_stop();
    }
    FAIL() << "no progress";
  }
};

TEST_P(Resumed, AfterStopsItEndsAsWithoutThem) {
  const auto how = recipe(GetParam().words);
  train(how, {.run = folder_ / "whole"});
  std::mt19937 random(3);
  until_done("parts", how, [&](std::int64_t) {
    if (random() % 4 == 0) request_stop();
  });
  expect_same_end("parts", "whole");
}

// Thrown at any step, beyond the last state that was saved: what it did since then is done again.
TEST_P(Resumed, AfterCrashesItEndsAsWithoutThem) {
  auto words = GetParam().words;
  words.emplace_back("run.save_every_seconds=0");
  const auto how = recipe(words);
  train(how, {.run = folder_ / "whole"});
  std::mt19937 random(4);
  std::int64_t furthest = 0;
  until_done("parts", how, [&](std::int64_t step) {
    if (step <= furthest || random() % 3 != 0) return;
    furthest = step;
    throw std::logic_error("crash");
  });
  EXPECT_GT(furthest, 0);
  expect_same_end("parts", "whole");
}

INSTANTIATE_TEST_SUITE_P(Ways, Resumed,
                         testing::Values(Way{"fp32", {}}, Way{"bf16", {"run.precision=bf16"}},
                                         Way{"accumulated", {"optimizer.accumulate=4", "optimizer.clip_norm=0.1"}},
                                         Way{"sgd",
                                             {"optimizer.kind=sgd", "data.workers=0", "regularisation.ema_decay=0"}}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(Training, AStateThatWasCutCostsOneSave) {
  const auto how = recipe({"run.save_every_seconds=0"});
  train(how, {.run = folder_ / "whole"});
  const auto stop_at_nine = [](const StepReport& report) {
    if (report.position.step == 9) request_stop();
  };
  EXPECT_TRUE(train(how, {.run = folder_ / "parts", .on_step = stop_at_nine}).stopped);
  clear_stop();
  const auto newest = load_state(folder_ / "parts")->position.step;
  for (const auto* name : {"parts/state.0.safetensors", "parts/state.1.safetensors"}) {
    const auto step = formats::open_weights(folder_ / name).metadata().at("nunchi_training");
    if (Json::parse(step)["step"] == newest) fs::resize_file(folder_ / name, fs::file_size(folder_ / name) / 2);
  }
  std::int64_t first = 0;
  train(how, {.run = folder_ / "parts", .on_step = [&](const StepReport& report) {
                if (first == 0) first = report.position.step;
              }});
  EXPECT_EQ(first, 9);
  expect_same_end("parts", "whole");
}

TEST_F(Training, AnotherRecipesFolderIsRefused) {
  train(recipe(), {.run = folder_ / "run"});
  const auto other = recipe({"optimizer.learning_rate=0.5"});
  EXPECT_THAT(error_of([&] { train(other, {.run = folder_ / "run"}); }),
              HasSubstr("another recipe (optimizer.learning_rate: 0.5, was 0.003)"));
  EXPECT_THAT(error_of([&] { train(other, {.run = folder_ / "new", .resume = Resume::required}); }),
              HasSubstr("no training to resume"));
  const auto fresh = train(recipe({"schedule.epochs=1"}), {.run = folder_ / "run", .resume = Resume::never});
  EXPECT_EQ(fresh.position.step, 6);
}

TEST_F(Training, ALossThatIsNoNumberStopsItAndKeepsTheBatch) {
  const auto how = recipe({"optimizer.learning_rate=1000", "optimizer.clip_norm=0", "optimizer.kind=sgd",
                           "schedule.epochs=50", "optimizer.momentum=0.99", "regularisation.ema_decay=0"});
  const auto error = error_of([&] { train(how, {.run = folder_ / "run"}); });
  ASSERT_THAT(error, HasSubstr("its batch is kept in"));
  EXPECT_THAT(error, HasSubstr("epoch "));
  for (const auto& entry : fs::directory_iterator(folder_ / "run")) {
    if (!entry.path().filename().string().starts_with("bad-batch-step-")) continue;
    const auto kept = formats::open_weights(entry.path());
    EXPECT_EQ(kept.find("pixels")->shape, (Shape{6, 3, 16, 16}));
    EXPECT_EQ(kept.find("labels")->shape, Shape{6});
    EXPECT_EQ(kept.find("indices")->shape, Shape{6});
    EXPECT_THAT(error, HasSubstr(entry.path().filename().string()));
    return;
  }
  FAIL() << "no batch was kept";
}

TEST_F(Training, BrokenPicturesAreLeftOutCountedAndNamed) {
  const auto broken = folder_ / "data/train/red/003.ppm";
  fs::resize_file(broken, 100);
  std::vector<std::string> remarks;
  train(recipe({"schedule.epochs=2"}),
        {.run = folder_ / "run", .on_remark = [&](const std::string& text) { remarks.push_back(text); }});
  EXPECT_THAT(remarks, Contains(HasSubstr("train/red/003.ppm")));
  EXPECT_EQ(remarks.size(), 1u);
  const auto lines = log("run");
  EXPECT_THAT(lines, Contains(HasSubstr(R"("skipped":1)")));
  EXPECT_THAT(lines, Contains(testing::AllOf(HasSubstr("broken picture"), HasSubstr("red/003.ppm"))));
}

std::map<std::string, Tensor> tensors_in(const fs::path& folder) {
  std::map<std::string, Tensor> all;
  const auto files = formats::open_weights(folder);
  for (const auto& name : files.names()) all[name] = weights::tensor_of(files, name).clone();
  return all;
}

class FineTuning : public Training {
 protected:
  // What differs between the checkpoint and what came out.
  std::vector<std::string> changed(const std::string& name, std::vector<std::string> words) const {
    words.push_back("model.checkpoint=" + case_model(name).string());
    words.insert(words.end(), {"schedule.epochs=1", "augment.crop=none", "model.arch=", "model.arguments={}"});
    train(recipe(words), {.run = folder_ / "run"});
    const auto before = tensors_in(case_model(name)), after = tensors_in(folder_ / "run/last");
    std::vector<std::string> names;
    for (const auto& [tensor, value] : before) {
      const auto found = after.find(tensor);
      if (found == after.end() || !found->second.equal(value)) names.push_back(tensor);
    }
    return names;
  }
};

TEST_F(FineTuning, AFrozenBackboneStaysAsItWasToTheLastRunningMean) {
  EXPECT_THAT(changed("timm_resnet_basic", {"model.freeze_backbone=true", "regularisation.drop_path=0"}),
              testing::UnorderedElementsAre("fc.weight", "fc.bias"));
  const auto config = read_json(folder_ / "run/model/config.json");
  EXPECT_EQ(config["label_names"], Json({"blue", "green", "red"}));
  EXPECT_EQ(config["num_classes"], Json(3));
}

TEST_F(FineTuning, EverythingMovesOtherwise) {
  const auto names = changed("timm_resnet_basic", {"model.backbone_rate_scale=0.5", "regularisation.drop_path=0"});
  EXPECT_THAT(names, Contains("conv1.weight"));
  EXPECT_THAT(names, Contains("bn1.running_mean"));
  EXPECT_THAT(names, Contains("fc.weight"));
}

TEST_F(FineTuning, WhatANetworkDoesNotHaveIsRefused) {
  EXPECT_THAT([&] { changed("resnet_basic", {"regularisation.drop_path=0.1"}); },
              testing::ThrowsMessage<Error>(HasSubstr("regularisation.drop_path: resnet")));
  EXPECT_THAT(
      [&] {
        changed("resnet_basic", {"regularisation.drop_path=0", "regularisation.dropout=0.1"});
      },
      testing::ThrowsMessage<Error>(HasSubstr("regularisation.dropout: resnet")));
}

TEST_F(FineTuning, ALossThatIsNoNumberNamesTheLayerWhereItBegan) {
  const TemporaryFolder scratch;
  const auto poisoned = copy_case("timm_resnet_basic", scratch) / "model";
  change_arrays(poisoned / "model.safetensors",
                [](Arrays& arrays) { arrays.at("layer2.0.bn2.bias").floats()[0] = 3e38F; });
  const auto how = recipe({"model.checkpoint=" + poisoned.string(), "augment.crop=none",
                           "model.arch=", "model.arguments={}", "regularisation.drop_path=0"});
  EXPECT_THAT(error_of([&] { train(how, {.run = folder_ / "run"}); }),
              HasSubstr("(layer2.1.conv1 is the first layer whose values are not finite)"));
}

TEST_F(FineTuning, FoldedBatchNormsAreTold) {
  const TemporaryFolder scratch;
  const auto folded = copy_case("timm_resnet_basic", scratch) / "model";
  change_arrays(folded / "model.safetensors", [](Arrays& arrays) {
    for (auto& [name, array] : arrays)
      if (name.ends_with("running_mean")) std::ranges::fill(array.bytes, std::byte{0});
  });
  const auto remarks = [&](const std::string& word) {
    const std::vector<std::string> words = {"model.checkpoint=" + folded.string(), "model.arch=", "model.arguments={}",
                                            "schedule.epochs=1", word};
    std::string all;
    train(recipe(words), {.run = folder_ / word, .on_remark = [&](const std::string& text) { all += text; }});
    return all;
  };
  EXPECT_THAT(remarks("model.freeze_batch_norm=false"), HasSubstr("set model.freeze_batch_norm=true"));
  EXPECT_THAT(remarks("model.freeze_batch_norm=true"), testing::Not(HasSubstr("batch norms")));
  EXPECT_THAT(remarks("model.freeze_backbone=true"), testing::Not(HasSubstr("batch norms")));
}

TEST_F(FineTuning, TransformersOwnWordsComeBack) {
  changed("vit_classifier", {});
  const auto config = read_json(folder_ / "run/model/config.json");
  EXPECT_EQ(config["id2label"]["2"], Json("red"));
  EXPECT_EQ(config["label2id"]["green"], Json(1));
  EXPECT_EQ(config["architectures"], read_json(case_model("vit_classifier") / "config.json")["architectures"]);
  EXPECT_TRUE(tensors_in(folder_ / "run/model").contains("vit.embeddings.cls_token"));
  EXPECT_EQ(read_json(folder_ / "run/model/preprocessor_config.json"),
            read_json(case_model("vit_classifier") / "preprocessor_config.json"));
}

}  // namespace
}  // namespace nunchi::train
