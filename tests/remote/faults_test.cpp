// What goes wrong on the way: broken connections, damage, refusals, silence, floods, full disks, kills.
#include <sys/resource.h>

#include <csignal>

#include "remote/pulled.h"

namespace nunchi::remote {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr const char* at_storage = "?signature";

class PullFaults : public Pulled {
 protected:
  // The ranges that were asked for at the storage, in order; "" for a request of the whole.
  std::vector<std::string> ranges() const {
    std::vector<std::string> result;
    for (const auto& seen : hub_.requests()) {
      const auto found = seen.request.headers.find("range");
      if (seen.storage) result.push_back(found == seen.request.headers.end() ? "" : found->second);
    }
    return result;
  }
};

// --- connections

TEST_F(PullFaults, ABrokenConnectionGoesOnWhereItBroke) {
  hub_.fail(at_storage, {.drop_after = 100'000});
  expect_whole(pull());
  EXPECT_EQ(ranges(), (std::vector<std::string>{"", "bytes=100000-"}));
}

TEST_F(PullFaults, ManyBrokenConnectionsDoNoHarmWhileBytesCome) {
  hub_.fail(at_storage, {.drop_after = 30'000, .times = 9});
  expect_whole(pull());
  EXPECT_EQ(ranges().size(), 10u);
}

TEST_F(PullFaults, ConnectionsThatBringNothingEnd) {
  hub_.fail(at_storage, {.drop_after = 0, .times = 100});
  EXPECT_THAT(error_of_pull(), HasSubstr(hub_.storage()));
  EXPECT_EQ(ranges().size(), 5u);
}

TEST_F(PullFaults, TheNextPullGoesOnWhereTheLastOneEnded) {
  hub_.fail(at_storage, {.drop_after = 120'000});
  hub_.fail(at_storage, {.drop_after = 0, .times = 5});
  EXPECT_NE(error_of_pull(), "");
  EXPECT_EQ(fs::file_size(weights_part()), 120'000u);
  EXPECT_FALSE(fs::exists(cached_().folder() / "refs/main"));
  hub_.forget_requests();
  expect_whole(pull());
  EXPECT_EQ(ranges(), std::vector<std::string>{"bytes=120000-"});
}

TEST_F(PullFaults, AStorageThatIgnoresRangesSendsAllAgain) {
  hub_.fail(at_storage, {.drop_after = 100'000});
  hub_.fail(at_storage, {.ignore_range = true});
  expect_whole(pull());
}

TEST_F(PullFaults, APartLongerThanTheFileIsThrownAway) {
  fs::create_directories(weights_part().parent_path());
  write_file(weights_part(), std::string(400'000, 'x'));
  expect_whole(pull());
}

TEST_F(PullFaults, AWholePartNeedsNoRequest) {
  fs::create_directories(weights_part().parent_path());
  write_file(weights_part(), files_["model.safetensors"]);
  expect_whole(pull());
  EXPECT_EQ(ranges().size(), 0u);
}

TEST_F(PullFaults, ASilentStorageIsGivenUpAndAskedAgain) {
  settings_.download_timeout = 300ms;
  hub_.fail(at_storage, {.drop_after = 50'000, .stall = 2s});
  expect_whole(pull());
  EXPECT_EQ(ranges(), (std::vector<std::string>{"", "bytes=50000-"}));
}

TEST_F(PullFaults, ASilentHubIsTold) {
  settings_.answer_timeout = 200ms;
  hub_.fail("/api/", {.drop_after = 10, .stall = 2s, .times = 5});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(error_of_pull(), AllOf(HasSubstr("/api/models/org/name"), HasSubstr("nothing came for 0.2 s")));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 9s);
}

TEST_F(PullFaults, ASlowStorageIsWaitedFor) {
  settings_.download_timeout = 1s;
  hub_.fail(at_storage, {.pace = 20ms});  // 1.5 s for 300 KB, but never silent
  expect_whole(pull());
  EXPECT_EQ(ranges().size(), 1u);
}

// --- damage

TEST_F(PullFaults, ADamagedFileIsBroughtOnceMore) {
  hub_.fail(at_storage, {.wrong_content = true});
  expect_whole(pull());
  EXPECT_EQ(ranges(), (std::vector<std::string>{"", ""}));
}

TEST_F(PullFaults, TwiceDamagedIsAnError) {
  hub_.fail(at_storage, {.wrong_content = true, .times = 2});
  EXPECT_THAT(error_of_pull(),
              AllOf(HasSubstr("model.safetensors: expected content whose hash is"), HasSubstr("twice")));
  EXPECT_FALSE(fs::exists(weights_part()));
  EXPECT_FALSE(fs::exists(weights_blob()));
  expect_whole(pull());
}

TEST_F(PullFaults, ADamagedPartIsFoundByTheHash) {
  fs::create_directories(weights_part().parent_path());
  write_file(weights_part(), std::string(100'000, 'x'));
  expect_whole(pull());
  EXPECT_EQ(ranges(), (std::vector<std::string>{"bytes=100000-", ""}));
}

TEST_F(PullFaults, SmallFilesAreCheckedByTheHashOfGit) {
  files_["config.json"] = R"({"model_type": "swin"})";
  const auto etag = HubServer::etag_of("config.json", files_["config.json"]);
  hub_.publish("org/name", files_);
  const auto blob = CachedRepository(settings_.cache, "org/name").partial_blob(etag);
  fs::create_directories(blob.parent_path());
  write_file(blob, std::string(files_["config.json"].size(), 'x'));  // as long as the file, and wrong
  expect_whole(pull());
}

// --- floods

TEST_F(PullFaults, AnEndlessFileIsCutOff) {
  hub_.fail(at_storage, {.endless = true});
  EXPECT_THAT(error_of_pull(), HasSubstr("expected 300000 bytes, but more and more come"));
  EXPECT_FALSE(fs::exists(weights_part()));
}

TEST_F(PullFaults, AnEndlessListIsCutOff) {
  hub_.fail("/api/", {.endless = true});
  EXPECT_THAT(error_of_pull(), HasSubstr("the answer is longer than the 16777216 bytes that are allowed here"));
}

TEST_F(PullFaults, AHugeLengthIsNotBelieved) {
  hub_.fail(at_storage, {.content_length = "1000000000000000"});
  EXPECT_THAT(error_of_pull(), HasSubstr("expected 300000 bytes, the storage offers 1000000000000000"));
}

TEST_F(PullFaults, AFileLargerThanTheDiskIsRefusedBeforeItComes) {
  hub_.fail("model.safetensors", {.content_length = "900000000000000000", .method = "HEAD"});
  EXPECT_THAT(error_of_pull(), AllOf(HasSubstr("900.0 PB are to come"), HasSubstr("HF_HUB_CACHE")));
  EXPECT_EQ(ranges().size(), 0u);
}

TEST_F(PullFaults, TextThatIsNoListIsNoHub) {
  hub_.fail("/api/", {.status = 200});
  EXPECT_THAT(error_of_pull(), HasSubstr("does HF_ENDPOINT name a hub?"));
}

TEST_F(PullFaults, MetadataOfSomebodyElseIsNoHub) {
  hub_.fail("config.json", {.status = 200, .headers = {{"ETag", "\"x\""}}, .method = "HEAD"});
  EXPECT_THAT(error_of_pull(), HasSubstr("does HF_ENDPOINT name a hub"));
}

TEST_F(PullFaults, AnETagCannotLeaveTheCache) {
  hub_.fail("config.json",
            {.status = 200, .headers = {{"X-Repo-Commit", commit_}, {"ETag", "\"../../escaped\""}}, .method = "HEAD"});
  EXPECT_THAT(error_of_pull(), HasSubstr("expected an ETag that names the content, found \"../../escaped\""));
}

// --- refusals

TEST_F(PullFaults, GatedModelsSayWhereToAsk) {
  hub_.set_gated("org/name");
  EXPECT_THAT(error_of_pull(),
              AllOf(HasSubstr(hub_.endpoint() + "/org/name"), HasSubstr("no token is set"), HasSubstr("HF_TOKEN")));
}

TEST_F(PullFaults, AMissingOrPrivateModelIsTold) {
  EXPECT_THAT(error_of_pull("org/absent"),
              AllOf(HasSubstr("org/absent: "), HasSubstr("has no such model, or it is private (no token is set)")));
}

TEST_F(PullFaults, AMissingRevisionIsTold) {
  EXPECT_THAT(error_of_pull("org/name@v9"), HasSubstr("org/name@v9: this model has no revision \"v9\""));
}

TEST_F(PullFaults, AFileThatVanishedIsTold) {
  hub_.fail("config.json", {.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}, .method = "HEAD"});
  EXPECT_THAT(error_of_pull(), HasSubstr("this model has no file config.json"));
}

TEST_F(PullFaults, TooManyRequestsWaitAsLongAsAsked) {
  hub_.fail("/api/", {.status = 429, .headers = {{"Retry-After", "1"}}});
  const auto begin = std::chrono::steady_clock::now();
  expect_whole(pull());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
}

TEST_F(PullFaults, AWaitThatIsTooLongIsTold) {
  hub_.fail("/api/", {.status = 429, .headers = {{"Retry-After", "3600"}}});
  EXPECT_THAT(error_of_pull(), HasSubstr("the hub answers 429; it asks to come back in 1 h 00 min"));
}

TEST_F(PullFaults, TroubleThatPassesIsSatOut) {
  hub_.fail("/api/", {.status = 500, .times = 2});
  hub_.fail(at_storage, {.status = 503, .times = 2});
  expect_whole(pull());
}

TEST_F(PullFaults, TroubleThatStaysIsTold) {
  hub_.fail("/api/", {.status = 500, .times = 100});
  EXPECT_THAT(error_of_pull(), HasSubstr("answers 500 again and again"));
  EXPECT_EQ(hub_.requests().size(), 5u);
}

// --- the token

TEST_F(PullFaults, TheTokenGoesToTheEndpointAndNowhereElse) {
  settings_.token = "hf_secret";
  hub_.set_private("org/name", "hf_secret");
  expect_whole(pull());
  std::size_t with_token = 0;
  for (const auto& seen : hub_.requests()) {
    const bool has_token = seen.request.headers.contains("authorization");
    EXPECT_EQ(has_token, !seen.storage) << seen.request.target;
    with_token += has_token;
    for (const auto& [name, value] : seen.request.headers)
      EXPECT_TRUE(!seen.storage || value.find("hf_secret") == std::string::npos) << name;
  }
  EXPECT_GT(with_token, 3u);
  EXPECT_EQ(ranges().size(), 1u);
}

TEST_F(PullFaults, ARedirectToAnotherHostGetsNoToken) {
  settings_.token = "hf_secret";
  hub_.fail("config.json",
            {.status = 307,
             .headers = {
                 {"Location", hub_.storage() + "/" + HubServer::etag_of("model.safetensors", files_["config.json"])}}});
  expect_whole(pull());
  bool seen_at_storage = false;
  for (const auto& seen : hub_.requests()) {
    if (!seen.storage) continue;
    seen_at_storage = true;
    EXPECT_FALSE(seen.request.headers.contains("authorization"));
  }
  EXPECT_TRUE(seen_at_storage);
}

TEST_F(PullFaults, RelativeRedirectsAreFollowedWithTheToken) {
  settings_.token = "hf_secret";
  hub_.set_private("org/name", "hf_secret");
  hub_.fail("/api/models/org/former", {.status = 307, .headers = {{"Location", "/api/models/org/name/revision/main"}}});
  for (const auto* file : {"config.json", "preprocessor_config.json", "model.safetensors"}) {
    for (const auto* method : {"HEAD", "GET"})
      hub_.fail(fmt::format("/org/former/resolve/{}/{}", commit_, file),
                {.status = 307,
                 .headers = {{"Location", fmt::format("/org/name/resolve/{}/{}", commit_, file)}},
                 .method = method});
  }
  expect_whole(pull("org/former"));
}

TEST_F(PullFaults, RedirectsInACircleEnd) {
  hub_.fail("/api/", {.status = 302, .headers = {{"Location", "/api/models/org/name/revision/main"}}, .times = 1000});
  EXPECT_THAT(error_of_pull(), HasSubstr("more than 10 redirects"));
}

TEST_F(PullFaults, ARedirectToAFileOfThisMachineIsNotFollowed) {
  hub_.fail("/api/", {.status = 302, .headers = {{"Location", "file:///etc/passwd"}}});
  EXPECT_THAT(error_of_pull(), HasSubstr("no address of the web; it is not followed"));
}

// --- ends

TEST_F(PullFaults, AFullDiskIsToldAndThePartStays) {
  const auto end = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200'000, 200'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    EXPECT_THAT(error_of_pull(),
                AllOf(HasSubstr("cannot be written: File too large after 200.0 kB"), HasSubstr("what came is kept")));
    return testing::Test::HasFailure() ? 1 : 0;
  });
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(fs::file_size(weights_part()), 200'000u);
  hub_.forget_requests();
  expect_whole(pull());
  EXPECT_EQ(ranges(), std::vector<std::string>{"bytes=200000-"});
}

TEST_F(PullFaults, KilledInTheMiddleItGoesOn) {
  hub_.fail(at_storage, {.pace = 10ms});
  const pid_t child = start_child([&] { return pull().empty() ? 1 : 0; });
  std::error_code error;
  while (!fs::exists(weights_part(), error) || fs::file_size(weights_part(), error) < 50'000)
    std::this_thread::sleep_for(1ms);
  kill(child, SIGKILL);
  EXPECT_EQ(wait_for(child).signal, SIGKILL);
  const auto kept = fs::file_size(weights_part());
  EXPECT_LT(kept, 300'000u);
  hub_.forget_requests();
  expect_whole(pull());
  EXPECT_EQ(ranges(), std::vector<std::string>{fmt::format("bytes={}-", kept)});
}

TEST_F(PullFaults, AStopKeepsThePart) {
  hub_.fail(at_storage, {.pace = 10ms});
  std::thread stopper([&] {
    std::error_code error;
    while (!fs::exists(weights_part(), error) || fs::file_size(weights_part(), error) < 50'000)
      std::this_thread::sleep_for(1ms);
    request_stop();
  });
  EXPECT_THAT(error_of_pull(), HasSubstr("stopped"));
  stopper.join();
  clear_stop();
  EXPECT_GE(fs::file_size(weights_part()), 50'000u);
  expect_whole(pull());
}

TEST_F(PullFaults, AStopEndsAWaitForALock) {
  fs::create_directories(settings_.cache);
  const FileLock held(cached_().lock(HubServer::etag_of("config.json", files_["config.json"])));
  std::thread stopper([] {
    std::this_thread::sleep_for(200ms);
    request_stop();
  });
  EXPECT_THAT(error_of_pull(), HasSubstr("stopped"));
  stopper.join();
  clear_stop();
}

}  // namespace
}  // namespace nunchi::remote
