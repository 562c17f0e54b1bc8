#include "core/yaml.h"

#include <gmock/gmock.h>

#include "core/file.h"
#include "core/temporary_folder.h"

namespace nunchi {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    parse_yaml(text, "r.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(Yaml, ScalarsFollowTheCoreSchema) {
  const auto json = parse_yaml(
                        "a: 1\nb: 1e-3\nc: -2.5\nd: true\ne: yes\nf: \"1\"\ng: ~\nh:\ni: 0x10\nj: .5\nk: +3\nl: 'x'\n"
                        "m: !!str 5\nminus: '-'\no: nan\np: 1_000\n",
                        "r.yaml")
                        .json;
  EXPECT_EQ(json["a"], Json(1));
  EXPECT_TRUE(json["a"].is_number_integer());
  EXPECT_EQ(json["b"], Json(0.001));
  EXPECT_EQ(json["c"], Json(-2.5));
  EXPECT_EQ(json["d"], Json(true));
  EXPECT_EQ(json["e"], Json("yes"));
  EXPECT_EQ(json["f"], Json("1"));
  EXPECT_TRUE(json["g"].is_null());
  EXPECT_TRUE(json["h"].is_null());
  EXPECT_EQ(json["i"], Json("0x10"));
  EXPECT_EQ(json["j"], Json(0.5));
  EXPECT_EQ(json["k"], Json(3));
  EXPECT_EQ(json["l"], Json("x"));
  EXPECT_EQ(json["m"], Json("5"));
  EXPECT_EQ(json["minus"], Json("-"));
  EXPECT_EQ(json["o"], Json("nan"));
  EXPECT_EQ(json["p"], Json("1_000"));
}

TEST(Yaml, NestsAndResolvesAliases) {
  const auto yaml = parse_yaml("size: &s [32, 32]\nmodel:\n  arguments: {img_size: *s, depth: 9}\n", "r.yaml");
  EXPECT_EQ(yaml.json["model"]["arguments"]["img_size"], Json({32, 32}));
  EXPECT_EQ(yaml.json["model"]["arguments"]["depth"], Json(9));
}

TEST(Yaml, KnowsTheLineOfEveryValue) {
  const auto yaml = parse_yaml("# first\nmodel:\n  arch: x\n\noptimizer:\n  rate: 1\n", "r.yaml");
  EXPECT_EQ(yaml.where("/model/arch"), "r.yaml:3");
  EXPECT_EQ(yaml.where("/optimizer/rate"), "r.yaml:6");
  EXPECT_EQ(yaml.where("/optimizer/absent"), "r.yaml:6");  // an object begins at its first key
  EXPECT_EQ(yaml.where("/absent/deep"), "r.yaml:2");
}

TEST(Yaml, SaysWhereAFileIsWrong) {
  EXPECT_THAT(error_of("a: 1\nb: [1, 2\nc: 3\n"), HasSubstr("r.yaml:3: expected YAML"));
  EXPECT_THAT(error_of("a: 1\nb: 2\na: 3\n"), HasSubstr("r.yaml:3: \"a\" is there twice"));
  EXPECT_THAT(error_of("a: 1\n[x]: 2\n"), HasSubstr("r.yaml:2: expected a name"));
  EXPECT_THAT(error_of("a: !!python/object:os.system x\n"), HasSubstr("r.yaml:1: tag"));
  EXPECT_THAT(error_of("a: *nowhere\n"), HasSubstr("r.yaml:1: expected YAML"));
  EXPECT_THAT(error_of("a: 1\n---\nb: 2\n"), HasSubstr("expected one document, found 2"));
}

TEST(Yaml, AliasesThatMultiplyAreRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int k = 0; k < 10; ++k) bomb += fmt::format("*a{}{}", i - 1, k < 9 ? ", " : "]\n");
  }
  EXPECT_THAT(error_of(bomb), HasSubstr("more than 100000 values"));
  EXPECT_NE(error_of("a: &a [*a]\n"), "");
}

TEST(Yaml, DepthIsLimited) {
  EXPECT_EQ(error_of(std::string(40, '[') + std::string(40, ']')), "");
  EXPECT_THAT(error_of(std::string(60, '[') + std::string(60, ']')), HasSubstr("deeper than 50"));
  EXPECT_NE(error_of(std::string(500'000, '[')), "");
  EXPECT_NE(error_of(std::string(500'000, '-')), "x");  // text or an error, never a crash
}

TEST(Yaml, WritesWhatItReads) {
  const Json json = {{"a", {{"b", 1}, {"c", 0.1}, {"d", "plain/text_1.x"}, {"e", "1"}, {"f", "two words: \"x\"\n"}}},
                     {"list", {1, 2.5, "x", nullptr, true}},
                     {"empty", Json::object()},
                     {"none", Json::array()},
                     {"true", "true"},
                     {"objects", {{{"x", 1}}, {{"y", {1, 2}}}}},
                     {"tiny", 1e-300},
                     {"nested", {{1, 2}, {3, 4}}},
                     {"hangul", "눈치"}};
  const auto text = to_yaml(json);
  EXPECT_EQ(parse_yaml(text, "r.yaml").json, json) << text;
  EXPECT_THAT(text, HasSubstr("  d: plain/text_1.x\n"));
  EXPECT_THAT(text, HasSubstr("list: [1, 2.5, x, null, true]\n"));
  EXPECT_EQ(parse_yaml(to_yaml(Json::object()), "r.yaml").json, Json::object());
}

TEST(Yaml, ReadsFiles) {
  const TemporaryFolder folder;
  write_file(folder / "r.yaml", std::string_view("a: 1\n"));
  EXPECT_EQ(read_yaml(folder / "r.yaml").json["a"], Json(1));
  write_file(folder / "long.yaml", std::string(2 << 20, ' '));
  EXPECT_THROW(read_yaml(folder / "long.yaml"), Error);
  EXPECT_THROW(read_yaml(folder / "absent.yaml"), Error);
}

}  // namespace
}  // namespace nunchi
