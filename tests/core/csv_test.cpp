#include "core/csv.h"

#include <gmock/gmock.h>

#include "core/error.h"

namespace nunchi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Csv, ReadsRowsAndTheirLines) {
  const auto rows = parse_csv("\xef\xbb\xbfpath,label\r\n\na.png,\n\"b, \"\"c\"\"\nd.png\",2", ',', "list.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0].fields, ElementsAre("path", "label"));
  EXPECT_EQ(rows[0].line, 1u);
  EXPECT_THAT(rows[1].fields, ElementsAre("a.png", ""));
  EXPECT_EQ(rows[1].line, 3u);
  EXPECT_THAT(rows[2].fields, ElementsAre("b, \"c\"\nd.png", "2"));
  EXPECT_EQ(rows[2].line, 4u);
}

TEST(Csv, TakesTabsAndKeepsEmptyLastFields) {
  EXPECT_THAT(parse_csv("a b\tc,d\t", '\t', "x").front().fields, ElementsAre("a b", "c,d", ""));
  EXPECT_TRUE(parse_csv("", ',', "x").empty());
  EXPECT_TRUE(parse_csv("\n\r\n\n", ',', "x").empty());
}

TEST(Csv, NamesTheLineOfAnOpenQuote) {
  EXPECT_THAT([] { parse_csv("a,b\nc,\"d\ne", ',', "list.csv"); }, ThrowsMessage<Error>(HasSubstr("list.csv: line 2")));
}

TEST(Csv, WritesWhatItReads) {
  for (const std::string text : {"", "plain", "a,b", "say \"no\"", "two\nlines", "\r"}) {
    const auto rows = parse_csv(csv_field(text) + ",x\n", ',', "x");
    EXPECT_EQ(rows.front().fields.front(), text);
  }
}

}  // namespace
}  // namespace nunchi
