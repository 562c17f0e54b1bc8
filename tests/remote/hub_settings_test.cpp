#include "remote/hub_settings.h"

#include <gmock/gmock.h>

#include <map>

#include "core/file.h"
#include "core/in_child.h"
#include "core/temporary_folder.h"

namespace nunchi::remote {
namespace {

using testing::HasSubstr;

HubSettings settings_of(std::map<std::string, std::string> variables) {
  variables.emplace("HOME", "/me");
  return hub_settings([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string error_of_settings(const std::map<std::string, std::string>& variables) {
  return error_of([&] { settings_of(variables); });
}

TEST(HubSettings, WithoutVariables) {
  const auto settings = settings_of({});
  EXPECT_EQ(settings.cache, "/me/.cache/huggingface/hub");
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.token, "");
  EXPECT_FALSE(settings.offline);
  EXPECT_TRUE(settings.progress_bars);
  EXPECT_TRUE(settings.symlinks);
  EXPECT_EQ(settings.download_timeout.count(), 10'000);
  EXPECT_EQ(settings.answer_timeout.count(), 10'000);
}

TEST(HubSettings, TheCacheByTheNearestVariable) {
  EXPECT_EQ(settings_of({{"XDG_CACHE_HOME", "/x"}}).cache, "/x/huggingface/hub");
  EXPECT_EQ(settings_of({{"XDG_CACHE_HOME", "/x"}, {"HF_HOME", "/h"}}).cache, "/h/hub");
  EXPECT_EQ(settings_of({{"HF_HOME", "/h"}, {"HUGGINGFACE_HUB_CACHE", "/c"}}).cache, "/c");
  EXPECT_EQ(settings_of({{"HUGGINGFACE_HUB_CACHE", "/c"}, {"HF_HUB_CACHE", "/d"}}).cache, "/d");
  EXPECT_EQ(settings_of({{"HF_HUB_CACHE", ""}, {"HF_HOME", "/h"}}).cache, "/h/hub");
}

TEST(HubSettings, PathsMayHoldVariablesAndTheHome) {
  EXPECT_EQ(settings_of({{"HF_HOME", "~/models"}}).cache, "/me/models/hub");
  EXPECT_EQ(settings_of({{"HF_HUB_CACHE", "$DISK/a/${NAME}b/$ABSENT/$"}, {"DISK", "/d"}, {"NAME", "n"}}).cache,
            "/d/a/nb/$ABSENT/$");
}

TEST(HubSettings, TheTokenFromVariablesOrItsFile) {
  const TemporaryFolder folder;
  write_file(folder / "token", " hf_file\n");
  write_file(folder / "other", "hf_other");
  const auto home = folder.path().string();
  EXPECT_EQ(settings_of({{"HF_HOME", home}}).token, "hf_file");
  EXPECT_EQ(settings_of({{"HF_HOME", home}, {"HF_TOKEN_PATH", home + "/other"}}).token, "hf_other");
  EXPECT_EQ(settings_of({{"HF_HOME", home}, {"HUGGING_FACE_HUB_TOKEN", "hf_old"}}).token, "hf_old");
  EXPECT_EQ(settings_of({{"HUGGING_FACE_HUB_TOKEN", "hf_old"}, {"HF_TOKEN", "hf_new\n"}}).token, "hf_new");
  EXPECT_EQ(settings_of({{"HF_TOKEN", "hf_new"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}).token, "");
  EXPECT_THAT(error_of_settings({{"HF_TOKEN", "a\r\nHost: b"}}), HasSubstr("HF_TOKEN"));
}

TEST(HubSettings, Switches) {
  EXPECT_TRUE(settings_of({{"HF_HUB_OFFLINE", "1"}}).offline);
  EXPECT_TRUE(settings_of({{"TRANSFORMERS_OFFLINE", "yes"}}).offline);
  EXPECT_FALSE(settings_of({{"HF_HUB_OFFLINE", "0"}, {"TRANSFORMERS_OFFLINE", "1"}}).offline);  // the first that is set
  EXPECT_FALSE(settings_of({{"HF_HUB_DISABLE_SYMLINKS", "True"}}).symlinks);
  EXPECT_FALSE(settings_of({{"HF_HUB_DISABLE_PROGRESS_BARS", "ON"}}).progress_bars);
}

TEST(HubSettings, TimesAndTheEndpoint) {
  EXPECT_EQ(settings_of({{"HF_HUB_DOWNLOAD_TIMEOUT", "60"}}).download_timeout.count(), 60'000);
  EXPECT_EQ(settings_of({{"HF_HUB_ETAG_TIMEOUT", "3"}}).answer_timeout.count(), 3'000);
  EXPECT_EQ(settings_of({{"HF_ENDPOINT", "https://mirror.example/"}}).endpoint, "https://mirror.example");
  EXPECT_THAT(error_of_settings({{"HF_HUB_ETAG_TIMEOUT", "soon"}}),
              HasSubstr("HF_HUB_ETAG_TIMEOUT=soon: expected whole seconds"));
  EXPECT_THAT(error_of_settings({{"HF_ENDPOINT", "ftp://x"}}), HasSubstr("HF_ENDPOINT=ftp://x"));
}

}  // namespace
}  // namespace nunchi::remote
