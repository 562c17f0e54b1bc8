#include "core/json.h"

#include <gmock/gmock.h>

namespace nunchi {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Json, ReadsFieldsWithFallbackForAbsentAndNull) {
  const Json object = parse_json(R"({"dim": 192, "bias": null})", "config.json");
  EXPECT_EQ(get_or(object, "dim", 768), 192);
  EXPECT_EQ(get_or(object, "depth", 12), 12);
  EXPECT_TRUE(get_or(object, "bias", true));
}

TEST(Json, NamesTheFieldOfTheWrongType) {
  const Json object = parse_json(R"({"dim": "wide"})", "config.json");
  EXPECT_THAT([&] { get_or(object, "dim", 768); },
              ThrowsMessage<Error>(HasSubstr("\"dim\": unexpected value \"wide\"")));
}

TEST(Json, NamesTheFileThatIsNotJson) {
  EXPECT_THAT([] { parse_json("{\"a\":", "config.json"); },
              ThrowsMessage<Error>(HasSubstr("config.json: expected JSON")));
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_THAT([] { parse_json(std::string(100000, '['), "deep.json"); },
              ThrowsMessage<Error>(HasSubstr("nested deeper")));
  EXPECT_NO_THROW(parse_json("\"[[[\"", "string.json"));
}

}  // namespace
}  // namespace nunchi
