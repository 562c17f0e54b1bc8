#include "draw/html_report.h"

#include <gmock/gmock.h>

namespace nunchi::draw {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string encoded(std::string_view text) { return data_uri(std::as_bytes(std::span(text)), "text/plain"); }

// The examples of RFC 4648, section 10.
TEST(DataUri, IsBase64) {
  EXPECT_EQ(encoded(""), "data:text/plain;base64,");
  EXPECT_EQ(encoded("f"), "data:text/plain;base64,Zg==");
  EXPECT_EQ(encoded("fo"), "data:text/plain;base64,Zm8=");
  EXPECT_EQ(encoded("foo"), "data:text/plain;base64,Zm9v");
  EXPECT_EQ(encoded("foobar"), "data:text/plain;base64,Zm9vYmFy");
  EXPECT_EQ(encoded("\xff\xfe\xfd"), "data:text/plain;base64,//79");
}

TEST(EscapeHtml, LeavesNoMarkupAndOnlyUtf8) {
  EXPECT_EQ(escape_html("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
  EXPECT_EQ(escape_html("고양이 \xf0\x9f\x90\x88"), "고양이 \xf0\x9f\x90\x88");
  const std::string replaced = "\xef\xbf\xbd";
  EXPECT_EQ(escape_html(std::string_view("a\0b", 3)), "a" + replaced + "b");
  EXPECT_EQ(escape_html("\x80x\xc0"), replaced + "x" + replaced);
  EXPECT_EQ(escape_html("\xea\xb3"), replaced + replaced);                 // cut off
  EXPECT_EQ(escape_html("\xed\xa0\x80"), replaced + replaced + replaced);  // half of a surrogate pair
  EXPECT_EQ(escape_html("\xf4\x90\x80\x80"), replaced + replaced + replaced + replaced);
  EXPECT_EQ(escape_html("\xf5\x80"), replaced + replaced);
}

TEST(HtmlReport, EscapesWhateverItIsGiven) {
  const std::string bad = "</p><script>alert(\"1\")</script>";
  HtmlReport report(bad, bad);
  report.heading(bad);
  report.paragraph(bad);
  report.figures({{bad, bad}});
  report.picture({bad, bad, bad});
  report.cards({{.title = bad, .pictures = {{bad, bad, bad}}, .bars = {{bad, 2}}, .note = bad}});
  report.table({{bad}, {{bad, bad}}});
  report.commands({{bad, bad}});
  report.footer(bad);
  const auto html = report.html();
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("alert(\"1\")")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, HasSubstr("width:100.0%"));  // a share beyond the whole
}

TEST(HtmlReport, TakesNothingFromOutside) {
  HtmlReport report("title", "lead");
  report.picture({encoded("x"), "x"});
  const auto html = report.html();
  EXPECT_THAT(html, HasSubstr("default-src 'none'; img-src data:"));
  for (const char* outside : {"http:", "https:", "url(", "@import", "<link", "<script"})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
}

}  // namespace
}  // namespace nunchi::draw
