#include "draw/html_report.h"

#include <gmock/gmock.h>

#include <openssl/evp.h>

#include <array>
#include <cstring>

namespace nunchi::draw {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string encoded(std::string_view text) { return data_uri(std::as_bytes(std::span(text)), "text/plain"); }

int count(const std::string& html, const std::string& part) {
  int count = 0;
  for (auto at = html.find(part); at != std::string::npos; at = html.find(part, at + 1)) ++count;
  return count;
}

std::string between(const std::string& html, const std::string& begin, const std::string& end) {
  const auto first = html.find(begin) + begin.size();
  return html.substr(first, html.find(end, first) - first);
}

image::Picture gray(int width, int height) {
  auto picture = image::make_picture(width, height);
  std::memset(picture.pixels.data(), 128, picture.pixels.size());
  return picture;
}

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
  report.note(bad);
  report.code(bad);
  report.definitions({{bad, bad}});
  report.details(bad, [&] { report.paragraph(bad); });
  report.gallery({.items = {{.picture = {bad, bad, bad}, .title = bad, .score = bad, .large = bad}}});
  report.explorer({.title = bad,
                   .picture = gray(8, 8),
                   .description = bad,
                   .axes = {{bad, {bad, bad}}},
                   .rows = 1,
                   .columns = 1,
                   .maps = {{0.5f}, {1.0f}}});
  report.footer(bad);
  report.scatter({.title = bad, .description = bad, .points = {{.name = bad, .thumbnail = bad}}, .groups = {bad}});
  const auto html = report.html();
  EXPECT_EQ(count(html, "<script"), 3);  // the page's own, and the data of two widgets
  EXPECT_THAT(html, Not(HasSubstr("alert(\"1\")")));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, HasSubstr("width:100.0%"));  // a share beyond the whole
}

TEST(HtmlReport, TakesNothingFromOutside) {
  HtmlReport report("title", "lead");
  report.picture({encoded("x"), "x"});
  const auto html = report.html();
  EXPECT_THAT(html, HasSubstr("default-src 'none'; img-src data:"));
  for (const char* outside : {"http:", "https:", "url(", "@import", "<link", " src=\"/", "fetch("})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
}

TEST(HtmlReport, AllowsItsOwnScriptAlone) {
  const auto html = HtmlReport("title", "lead").html();
  const auto script = between(html, "<script>", "</script>");
  ASSERT_FALSE(script.empty());
  std::array<unsigned char, 32> digest{};
  ASSERT_EQ(EVP_Digest(script.data(), script.size(), digest.data(), nullptr, EVP_sha256(), nullptr), 1);
  EXPECT_THAT(html, HasSubstr("script-src 'sha256-" + base64(std::as_bytes(std::span(digest))) + "'"));
  EXPECT_EQ(count(html, "unsafe"), 1);  // of the styles
}

TEST(HtmlReport, SpeaksTheReadersLanguage) {
  HtmlReport english("title", "lead"), korean("제목", "머리말", {.language = Language::korean});
  for (auto* report : {&english, &korean}) report->gallery({.items = {{.picture = {encoded("x"), "x"}}}});
  EXPECT_THAT(english.html(), HasSubstr("<html lang=\"en\">"));
  EXPECT_THAT(english.html(), HasSubstr("Close"));
  EXPECT_THAT(korean.html(), HasSubstr("<html lang=\"ko\">"));
  EXPECT_THAT(korean.html(), HasSubstr("닫기"));
  EXPECT_THAT(korean.html(), Not(HasSubstr("Close")));
}

TEST(HtmlReport, NumbersItsHeadingsInOrder) {
  HtmlReport report("title", "lead");
  report.cards({{.title = "before"}});
  for (const char* each : {"one", "two", "three"}) report.heading(each);
  report.cards({{.title = "after"}});
  const auto html = report.html();
  EXPECT_THAT(html, HasSubstr("<h2 class=\"title\">before</h2>"));
  EXPECT_THAT(html, HasSubstr("<a href=\"#part-3\">three</a>"));
  EXPECT_THAT(html, HasSubstr("<h2 id=\"part-3\">three</h2>"));
  EXPECT_THAT(html, HasSubstr("<h3 class=\"title\">after</h3>"));
}

}  // namespace
}  // namespace nunchi::draw
