// Pulling: what comes, where it lies, and what the hub is asked for.
#include "remote/pulled.h"

namespace nunchi::remote {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Pull : public Pulled {};

TEST_F(Pull, BringsWhatNunchiReadsAndNothingElse) {
  const auto snapshot = pull();
  expect_whole(snapshot);
  EXPECT_EQ(snapshot, cached_().snapshot(commit_));
  EXPECT_EQ(list_files(snapshot).size(), 3u);
  EXPECT_EQ(hub_.count("GET", "pytorch_model.bin") + hub_.count("GET", "README") + hub_.count("GET", "tf_model"), 0u);
}

TEST_F(Pull, LaysTheCacheOutAsHuggingFaceDoes) {
  pull();
  const fs::path model = settings_.cache / "models--org--name";
  EXPECT_EQ(content(model / "refs/main"), commit_);
  for (const auto* name : {"config.json", "model.safetensors"}) {
    const auto etag = HubServer::etag_of(name, files_.at(name));
    EXPECT_EQ(fs::read_symlink(model / "snapshots" / commit_ / name), "../../blobs/" + etag);
    EXPECT_TRUE(fs::is_regular_file(model / "blobs" / etag));
    EXPECT_TRUE(fs::exists(settings_.cache / ".locks/models--org--name" / (etag + ".lock")));
  }
  EXPECT_TRUE(fs::exists(model / ".no_exist" / commit_ / "processor_config.json"));
  EXPECT_FALSE(fs::exists(weights_part()));
  EXPECT_THAT(content(settings_.cache / "CACHEDIR.TAG"),
              testing::StartsWith("Signature: 8a477f597d28d172789f06886806bc55"));
}

TEST_F(Pull, ASecondPullAsksOnlyForTheCommit) {
  pull();
  hub_.forget_requests();
  expect_whole(pull());
  EXPECT_EQ(hub_.requests().size(), 1u);
}

TEST_F(Pull, ACommitThatIsThereNeedsNoNetwork) {
  pull();
  hub_.forget_requests();
  expect_whole(pull("org/name@" + commit_));
  EXPECT_EQ(hub_.requests().size(), 0u);
}

TEST_F(Pull, ANewCommitBringsOnlyWhatChanged) {
  pull();
  files_["config.json"] = R"({"model_type": "deit"})";
  const auto newer = hub_.publish("org/name", files_);
  hub_.forget_requests();
  const auto snapshot = pull();
  expect_whole(snapshot);
  EXPECT_EQ(snapshot.filename(), newer);
  EXPECT_EQ(hub_.count("GET", "model.safetensors"), 0u);
  EXPECT_EQ(hub_.count("GET", "/resolve/"), 1u);
  EXPECT_EQ(content(cached_().folder() / "refs/main"), newer);
}

TEST_F(Pull, RevisionsMayHoldSlashes) {
  files_["config.json"] = "{}";
  const auto other = hub_.publish("org/name", files_, "refs/pr/3");
  EXPECT_EQ(pull("org/name@refs/pr/3").filename(), other);
  EXPECT_EQ(content(cached_().folder() / "refs/refs/pr/3"), other);
  EXPECT_EQ(pull().filename(), commit_);
}

TEST_F(Pull, ShardsComeAsTheIndexNamesThem) {
  hub_.publish("org/sharded", {{"config.json", "{}"},
                               {"model.safetensors.index.json",
                                R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}})"},
                               {"model-1.safetensors", "first"},
                               {"model-2.safetensors", "second"},
                               {"model-3.safetensors", "of no tensor"}});
  const auto snapshot = pull("org/sharded");
  EXPECT_EQ(content(snapshot / "model-2.safetensors"), "second");
  EXPECT_FALSE(fs::exists(snapshot / "model-3.safetensors"));
}

TEST_F(Pull, AnIndexCannotLeaveTheSnapshot) {
  hub_.publish("org/sharded", {{"config.json", "{}"},
                               {"model.safetensors.index.json", R"({"weight_map": {"a": "../../../escaped"}})"},
                               {"../../../escaped", "x"}});
  EXPECT_THAT(error_of_pull("org/sharded"),
              HasSubstr("expected the name of a file beside it, found \"../../../escaped\""));
}

TEST_F(Pull, PicklesWhereThereIsNothingBetter) {
  hub_.publish("org/old", {{"config.json", "{}"}, {"pytorch_model.bin", "pickle"}, {"flax_model.msgpack", "x"}});
  EXPECT_EQ(content(pull("org/old") / "pytorch_model.bin"), "pickle");
}

TEST_F(Pull, ARepositoryWithoutWeightsIsToldWithItsFiles) {
  hub_.publish("org/none", {{"config.json", "{}"}, {"model.onnx", "x"}});
  EXPECT_THAT(error_of_pull("org/none"), HasSubstr("found config.json, model.onnx"));
}

TEST_F(Pull, ReportsProgressInBytes) {
  std::vector<std::int64_t> done, totals;
  remote::pull(*parse_hub_name("org/name"),
               {.settings = settings_, .progress = [&](const std::string& model, std::int64_t now, std::int64_t total) {
                  EXPECT_EQ(model, "org/name");
                  done.push_back(now), totals.push_back(total);
                }});
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), totals.back());
  EXPECT_GT(totals.back(), 300'000);
}

TEST_F(Pull, WithoutLinksTheSnapshotHoldsTheFiles) {
  settings_.symlinks = false;
  const auto snapshot = pull();
  expect_whole(snapshot);
  EXPECT_FALSE(fs::is_symlink(snapshot / "model.safetensors"));
  EXPECT_FALSE(fs::exists(weights_blob()));
  hub_.forget_requests();
  expect_whole(pull());
  EXPECT_EQ(hub_.requests().size(), 1u);
}

TEST_F(Pull, ALinkToNothingIsRepaired) {
  const auto snapshot = pull();
  fs::remove(weights_blob());
  expect_whole(pull());
  EXPECT_TRUE(fs::is_symlink(snapshot / "model.safetensors"));
}

TEST_F(Pull, TwoProcessesAtOnceBringEachFileOnce) {
  hub_.fail("?signature", {.pace = std::chrono::milliseconds(3)});
  const auto child = [&] { return start_child([&] { return pull().filename() == commit_ ? 0 : 1; }); };
  const pid_t first = child(), second = child();
  EXPECT_EQ(wait_for(first).exit_code, 0);
  EXPECT_EQ(wait_for(second).exit_code, 0);
  expect_whole(cached_().snapshot(commit_));
  EXPECT_EQ(hub_.count("GET", "model.safetensors?"), 1u);  // at the storage
}

// --- without network

TEST_F(Pull, OfflineTheCacheAnswers) {
  pull();
  hub_.forget_requests();
  settings_.offline = true;
  expect_whole(pull());
  EXPECT_EQ(hub_.requests().size(), 0u);
}

TEST_F(Pull, OfflineWithoutTheModelSaysSo) {
  settings_.offline = true;
  EXPECT_THAT(error_of_pull(), testing::AllOf(HasSubstr("org/name: not in the cache"), HasSubstr("HF_HUB_OFFLINE")));
  EXPECT_FALSE(fs::exists(settings_.cache));
}

TEST_F(Pull, WithoutNetworkTheCacheAnswersWithARemark) {
  pull();
  std::string remarks;
  set_log_sink([&](LogLevel, std::string_view text) { remarks += text; });
  settings_.endpoint = "http://127.0.0.1:1";
  expect_whole(pull());
  set_log_sink({});
  EXPECT_THAT(remarks, HasSubstr("using what is in the cache"));
}

TEST_F(Pull, WithoutNetworkAndCacheTheHostIsNamed) {
  settings_.endpoint = "http://127.0.0.1:1";
  EXPECT_THAT(error_of_pull(), HasSubstr("http://127.0.0.1:1/api/models/org/name"));
}

TEST_F(Pull, AHubInTroubleLeavesTheCacheInUse) {
  pull();
  hub_.fail("/api/", {.status = 503, .times = 100});
  expect_whole(pull());
}

TEST_F(Pull, HalfASnapshotIsNotFound) {
  pull();
  fs::remove(weights_blob());
  EXPECT_FALSE(find_in_cache(*parse_hub_name("org/name"), settings_));
}

TEST_F(Pull, ACacheThatMayOnlyBeReadIsEnough) {
  pull();
  std::system(("chmod -R a-w,a+rX " + folder_.path().string()).c_str());
  const auto end = in_child([&] {
    drop_root();
    expect_whole(pull());
    return testing::Test::HasFailure() ? 1 : 0;
  });
  std::system(("chmod -R u+w " + folder_.path().string()).c_str());
  EXPECT_EQ(end.exit_code, 0);
}

// --- what a MODEL names

TEST_F(Pull, APathThatExistsIsThatPath) {
  fs::create_directories(folder_ / "org/name");
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  EXPECT_EQ(resolve_model_path("org/name", settings_), "org/name");
  fs::current_path(before);
  EXPECT_EQ(hub_.requests().size(), 0u);
}

TEST_F(Pull, ANameOfTheHubIsPulled) {
  expect_whole(resolve_model_path("org/name", settings_));
  EXPECT_EQ(resolve_model_path("no-such-folder", settings_), "no-such-folder");
  EXPECT_EQ(resolve_model_path("a/b/c", settings_), "a/b/c");
  EXPECT_EQ(resolve_model_path("a/b.safetensors", settings_), "a/b.safetensors");
}

}  // namespace
}  // namespace nunchi::remote
