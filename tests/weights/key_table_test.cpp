#include "weights/key_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nunchi::weights {
namespace {

using testing::ElementsAre;

const KeyTable table{.publisher = "somebody",
                     .prefixes = {"net.", ""},
                     .rules = {{"token", {"@embeddings.token"}},
                               {"blocks.*.qkv.*", {"@layer.*.query.*", "@layer.*.key.*", "@layer.*.value.*"}},
                               {"blocks.*.norm.*", {"@layer.*.norm.*"}},
                               {"blocks.0.norm.*", {"never"}},
                               {"head.*", {"classifier.*"}}},
                     .dropped = {"@embeddings.mask", "decoder.**", "extra.*"}};

TEST(KeyTable, PutsStarsWhereTheyBelong) {
  EXPECT_THAT(table.their_names("blocks.11.norm.bias", ""), ElementsAre("layer.11.norm.bias"));
  EXPECT_THAT(table.their_names("head.weight", ""), ElementsAre("classifier.weight"));
}

TEST(KeyTable, PutsThePrefixBeforeTheBackboneOnly) {
  EXPECT_THAT(table.their_names("token", "net."), ElementsAre("net.embeddings.token"));
  EXPECT_THAT(table.their_names("head.weight", "net."), ElementsAre("classifier.weight"));
}

TEST(KeyTable, NamesTheThreePartsOfAJoinedTensor) {
  EXPECT_THAT(table.their_names("blocks.3.qkv.weight", "net."),
              ElementsAre("net.layer.3.query.weight", "net.layer.3.key.weight", "net.layer.3.value.weight"));
}

TEST(KeyTable, TakesTheFirstRuleThatMatches) {
  EXPECT_THAT(table.their_names("blocks.0.norm.bias", ""), ElementsAre("layer.0.norm.bias"));
}

TEST(KeyTable, KeepsANameThatNoRuleMatches) {
  EXPECT_THAT(table.their_names("blocks.3.norm", "net."), ElementsAre("blocks.3.norm"));  // a part fewer
  EXPECT_THAT(table.their_names("blocks.3.norm.a.b", "net."), ElementsAre("blocks.3.norm.a.b"));
  EXPECT_THAT(table.their_names("tokens", "net."), ElementsAre("tokens"));
}

TEST(KeyTable, FindsThePrefixOfTheFile) {
  EXPECT_EQ(table.find_prefix({"classifier.weight", "net.embeddings.token"}), "net.");
  EXPECT_EQ(table.find_prefix({"embeddings.token"}), "");
  EXPECT_EQ(table.find_prefix({}), "");
  EXPECT_EQ((KeyTable{.prefixes = {"a.", "b."}}).find_prefix({"c"}), "b.") << "the last where none fits";
}

TEST(KeyTable, DropsByPattern) {
  EXPECT_TRUE(table.is_dropped("net.embeddings.mask", "net."));
  EXPECT_FALSE(table.is_dropped("embeddings.mask", "net."));
  EXPECT_TRUE(table.is_dropped("embeddings.mask", ""));
  EXPECT_TRUE(table.is_dropped("decoder.0.weight", "net."));
  EXPECT_TRUE(table.is_dropped("decoder.a.b.c.d", "net."));
  EXPECT_TRUE(table.is_dropped("extra.weight", "net."));
  EXPECT_FALSE(table.is_dropped("extra.a.weight", "net."));
  EXPECT_FALSE(table.is_dropped("classifier.weight", "net."));
}

}  // namespace
}  // namespace nunchi::weights
