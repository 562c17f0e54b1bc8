#include "remote/hub_name.h"

#include <gtest/gtest.h>

namespace nunchi::remote {
namespace {

TEST(HubName, IsOrganisationNameAndRevision) {
  const auto plain = parse_hub_name("google/vit-base-patch16-224");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->repository, "google/vit-base-patch16-224");
  EXPECT_EQ(plain->revision, "main");
  EXPECT_EQ(plain->text(), "google/vit-base-patch16-224");
  const auto revised = parse_hub_name("timm/resnet50.a1_in1k@refs/pr/3");
  ASSERT_TRUE(revised);
  EXPECT_EQ(revised->repository, "timm/resnet50.a1_in1k");
  EXPECT_EQ(revised->revision, "refs/pr/3");
  EXPECT_EQ(revised->text(), "timm/resnet50.a1_in1k@refs/pr/3");
}

TEST(HubName, NothingElseIsOne) {
  for (const auto* text : {"",         "/",
                           "name",     "a/",
                           "/b",       "a/b/c",
                           "../b",     "a/..",
                           "a..b/c",   "a/b--c",
                           "a/b.git",  "./b",
                           "a/.b",     "a/b-",
                           "-a/b",     "a/b c",
                           "a/b\n",    "a\\b/c",
                           "a/b?x",    "a/b%2e",
                           "~/b",      "C:/b",
                           "a/b@",     "a/b@../x",
                           "a/b@/x",   "a/b@x//y",
                           "a/b@x/.y", "a/b@x y",
                           "a/b@x..y", "a/b@x\x01",
                           "a/b@-x",   "a/model.safetensors",
                           "a/b.pth",  "photos/cat.jpg"}) {
    EXPECT_FALSE(parse_hub_name(text)) << text;
  }
  EXPECT_FALSE(parse_hub_name(std::string(97, 'a') + "/b"));
}

TEST(HubName, ACommitIsFortyDigits) {
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789ABCDEF0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789abcdef"));
  EXPECT_FALSE(is_commit("main"));
}

}  // namespace
}  // namespace nunchi::remote
