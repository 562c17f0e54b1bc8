// pull, cache, parity --published and models by name, as a user calls them, against a hub of our own.
#include <gmock/gmock.h>

#include "cli/pictures.h"
#include "remote/hub_server.h"

namespace nunchi::cli {
namespace {

using remote::HubServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

HubServer::Files files_in(const fs::path& folder) {
  HubServer::Files files;
  for (const auto& file : list_files(folder)) files[file.filename()] = read_file(file, 1 << 26);
  return files;
}

class PullCommand : public testing::Test {
 protected:
  PullCommand() { commit_ = hub_.publish("org/vit", files_in(vit)); }

  ProgramOptions options(const std::map<std::string, std::string>& more = {}) const {
    ProgramOptions options;
    options.folder = folder_.path();  // no folder here has the name of a model
    options.environment = {{"HF_ENDPOINT", hub_.endpoint()},
                           {"HF_HOME", folder_ / "hf"},
                           {"HF_HUB_CACHE", ""},
                           {"HF_HUB_OFFLINE", "0"},
                           {"HF_TOKEN", ""},
                           {"no_proxy", "*"}};
    for (const auto& [name, value] : more) options.environment[name] = value;
    return options;
  }
  ProgramRun run(const std::vector<std::string>& words, const std::map<std::string, std::string>& more = {}) const {
    return run_program(words, options(more));
  }
  fs::path cached() const { return folder_ / "hf/hub/models--org--vit"; }

  const TemporaryFolder folder_;
  HubServer hub_;
  std::string commit_;
};

TEST_F(PullCommand, PrintsTheFolder) {
  const auto pulled = run({"pull", "org/vit"});
  EXPECT_EQ(pulled.exit_code, 0) << pulled.err;
  EXPECT_EQ(pulled.out, (cached() / "snapshots" / commit_).string() + "\n");
  EXPECT_EQ(pulled.err, "");
  const auto json = json_lines(run({"pull", "--json", "org/vit@" + commit_}).out).at(0);
  EXPECT_EQ(json["path"], (cached() / "snapshots" / commit_).string());
}

TEST_F(PullCommand, AnyCommandTakesTheName) {
  const auto by_folder = run({"classify", vit, picture, "--json"});
  const auto by_name = run({"classify", "org/vit", picture, "--json"});
  EXPECT_EQ(by_name.exit_code, 0) << by_name.err;
  EXPECT_EQ(by_name.out, by_folder.out);
  const auto offline = run({"info", "org/vit"}, {{"HF_HUB_OFFLINE", "1"}});
  EXPECT_EQ(offline.exit_code, 0) << offline.err;
}

TEST_F(PullCommand, FailuresSayWhyAndEndWithTheRightCode) {
  const auto absent = run({"classify", "org/absent", picture});
  EXPECT_EQ(absent.exit_code, 3);
  EXPECT_THAT(absent.err, HasSubstr("org/absent: " + hub_.endpoint() + " has no such model"));
  const auto offline = run({"pull", "org/vit"}, {{"HF_HUB_OFFLINE", "1"}});
  EXPECT_EQ(offline.exit_code, 3);
  EXPECT_THAT(offline.err, HasSubstr("HF_HUB_OFFLINE"));
  const auto name = run({"pull", "../vit"});
  EXPECT_EQ(name.exit_code, 2);
  EXPECT_THAT(name.err, HasSubstr("expected organisation/name"));
  const auto some = run({"pull", "org/absent", "org/vit"});
  EXPECT_EQ(some.exit_code, 1);
  EXPECT_THAT(some.out, HasSubstr(commit_));
}

TEST_F(PullCommand, CtrlCKeepsThePartAndTheNextPullGoesOn) {
  hub_.fail("?signature", {.pace = std::chrono::milliseconds(20)});
  auto interrupted = options();
  std::thread stopper;
  pid_t program = 0;
  const auto part_is_there = [&] {
    std::error_code error;
    for (const auto& file : fs::directory_iterator(cached() / "blobs", error)) {
      if (file.path().extension() == ".incomplete" && file.file_size(error) > 8192) return true;
    }
    return false;
  };
  program = start_child([&] { return detail::execute({"pull", "org/vit"}, interrupted, 0, 1, 2); });
  while (!part_is_there()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(program, SIGINT);
  EXPECT_EQ(wait_for(program).exit_code, 130);
  EXPECT_TRUE(part_is_there());
  hub_.forget_requests();
  EXPECT_EQ(run({"pull", "org/vit"}).exit_code, 0);
  bool resumed = false;
  for (const auto& seen : hub_.requests())
    resumed = resumed || (seen.storage && seen.request.headers.contains("range"));
  EXPECT_TRUE(resumed);
}

TEST_F(PullCommand, CacheListsVerifiesAndPrunes) {
  EXPECT_THAT(run({"cache", "ls"}).err, HasSubstr("no models in"));
  run({"pull", "org/vit"});
  EXPECT_THAT(run({"cache", "ls"}).out, AllOf(StartsWith("org/vit  main"), HasSubstr(" files  20")));
  const auto json = json_lines(run({"cache", "ls", "--json"}).out).at(0);
  EXPECT_EQ(json["commit"], commit_);
  EXPECT_EQ(json["usable"], true);
  EXPECT_EQ(run({"cache", "verify"}).exit_code, 0);
  const auto part = cached() / "blobs" / (std::string(64, 'a') + ".incomplete");
  write_file(part, "part");
  EXPECT_THAT(run({"cache", "prune", "--dry-run"}).out, HasSubstr("part of a download, 4 B"));
  EXPECT_TRUE(fs::exists(part));
  EXPECT_EQ(run({"cache", "prune"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(part));
  write_file(cached() / "snapshots" / commit_ / "config.json", "{}");
  const auto verified = run({"cache", "verify"});
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_THAT(verified.out, HasSubstr(": damaged; delete it and pull again"));
  EXPECT_EQ(run({"cache", "tidy"}).exit_code, 2);
}

// --- parity --published

class Published : public PullCommand {
 protected:
  // A table of the figure that the model itself gives, altered by `error`.
  std::string table(const std::string& checkpoint, float error) {
    const auto out = (folder_ / "out.safetensors").string();
    run({"forward", vit, "--image", picture, "--out", out});
    const auto logits = read_arrays(out).at("logits");
    const auto* values = reinterpret_cast<const float*>(logits.bytes.data());
    const Json figure = {{"checkpoint", checkpoint},
                         {"output", "logits"},
                         {"at", {0}},
                         {"values", {values[0], values[1] + error, values[2]}},
                         {"tolerance", 1e-4}};
    const auto path = (folder_ / "figures.json").string();
    write_file(path, Json({{"source", "a test"}, {"image", "input.png"}, {"figures", {figure}}}).dump());
    return path;
  }
};

TEST_F(Published, ACheckpointThatAgreesPasses) {
  const auto figures = table("org/vit", 0);
  const auto passed = run({"parity", "--published", "org/vit", "--image", picture, "--figures", figures});
  EXPECT_EQ(passed.exit_code, 0) << passed.err;
  EXPECT_THAT(passed.out, AllOf(HasSubstr("org/vit  (a test)"), HasSubstr("ok   logits[0, :3]")));
}

TEST_F(Published, ACheckpointThatDiffersFails) {
  const auto figures = table("org/vit", 0.01F);
  const auto failed = run({"parity", "--published", "org/vit", "--image", picture, "--figures", figures, "--json"});
  EXPECT_EQ(failed.exit_code, 1);
  const auto json = json_lines(failed.out).at(0);
  EXPECT_EQ(json["passed"], false);
  EXPECT_NEAR(json["stages"][0]["max_absolute"].get<double>(), 0.01, 1e-4);
}

TEST_F(Published, OtherNamesAndPlacesAreTold) {
  EXPECT_THAT(run({"parity", "--published", "org/other", "--image", picture}).err,
              AllOf(HasSubstr("no published figures"), HasSubstr("google/vit-base-patch16-224")));
  EXPECT_EQ(run({"parity", "--published", "org/vit"}).exit_code, 2);
  EXPECT_EQ(run({"parity"}).exit_code, 2);
}

}  // namespace
}  // namespace nunchi::cli
