#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "draw/html_explorer.h"
#include "draw/html_gallery.h"
#include "draw/html_parts.h"
#include "draw/html_scatter.h"
#include "draw/html_table.h"

namespace nunchi::draw {
namespace {

using testing::HasSubstr;
using testing::Not;

const HtmlWords& words = html_words(Language::english);

TEST(LeadingNumber, IsWhatATextBeginsWith) {
  EXPECT_EQ(leading_number("1,234.5 MB"), 1234.5);
  EXPECT_EQ(leading_number("97.1 %"), 97.1);
  EXPECT_EQ(leading_number("+3"), 3);
  EXPECT_EQ(leading_number("-0.25"), -0.25);
  EXPECT_EQ(leading_number("\xe2\x88\x92"
                           "2 points"),
            -2);
  EXPECT_TRUE(std::isnan(leading_number("failed")));
  EXPECT_TRUE(std::isnan(leading_number("nan")));
  EXPECT_TRUE(std::isnan(leading_number("")));
}

TEST(HtmlTable, MarksTheBestOfAColumn) {
  const HtmlTable table = {.head = {"model", "top-1", "time", "note"},
                           .rows = {{"a", "79 %", "3 ms", "x"}, {"b", "81 %", "1.2 s", "y"}, {"c", "81 %", "failed"}},
                           .best = {HtmlBest::none, HtmlBest::greatest, HtmlBest::least},
                           .numbers = {{NAN, 79, 0.003}, {NAN, 81, 1.2}, {NAN, 81, NAN}}};
  const auto html = table_html(table, words);
  EXPECT_THAT(html, HasSubstr("<td>79 %</td>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">b</th><td class=\"best\"><small>best</small> 81 %</td>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">c</th><td class=\"best\"><small>best</small> 81 %</td>"));  // a tie
  EXPECT_THAT(html, HasSubstr("<td class=\"best\"><small>best</small> 3 ms"));
  EXPECT_THAT(html, HasSubstr("<td>1.2 s</td>"));
  EXPECT_THAT(html, HasSubstr("<td>failed</td>"));
  EXPECT_THAT(html, Not(HasSubstr("sortable")));
}

TEST(HtmlTable, GivesTheScriptWhatToSortBy) {
  const auto html =
      table_html({.head = {"", "size"}, .rows = {{"a", "1,200 kB"}, {"b", "-"}}, .sortable = true}, words);
  EXPECT_THAT(html, HasSubstr("class=\"sortable\""));
  EXPECT_THAT(html, HasSubstr("<td data-value=\"1200\">1,200 kB</td>"));
  EXPECT_THAT(html, HasSubstr("<td>-</td>"));
}

TEST(HtmlGallery, ShowsWhatIsThere) {
  const HtmlGallery gallery = {.items = {{.picture = {"data:a", "a cat", "a caption"}, .title = "cat", .score = "0.9"},
                                         {.picture = {"data:b", "a dog"}, .large = "data:c", .highlighted = true}},
                               .least_width = 90};
  const auto html = gallery_html(gallery, words);
  EXPECT_THAT(html, HasSubstr("--width:90px"));
  EXPECT_THAT(html, HasSubstr("<img src=\"data:a\" alt=\"a cat\"><figcaption><span class=\"name\"><b>cat</b><i>0.9</i>"
                              "</span><small>a caption</small></figcaption>"));
  EXPECT_THAT(html, HasSubstr("<li class=\"highlighted\" data-large=\"data:c\">"));
}

HtmlExplorer small_explorer() {
  HtmlExplorer explorer{.picture = image::make_picture(4, 2), .description = "gray"};
  std::memset(explorer.picture.pixels.data(), 128, explorer.picture.pixels.size());
  explorer.axes = {{"layer", {"1", "2"}, 1}};
  explorer.rows = 1, explorer.columns = 2;
  explorer.maps = {{0, 1}, {0.5f, NAN}};
  return explorer;
}

Json data_of(const std::string& html) {
  const std::string begin = "<script type=\"application/json\">";
  const auto first = html.find(begin) + begin.size();
  return Json::parse(html.substr(first, html.find("</script>", first) - first));
}

TEST(HtmlExplorer, WritesValuesAsCodesBetweenTheEndsOfEachMap) {
  const auto data = data_of(explorer_html(small_explorer(), words));
  EXPECT_EQ(data["columns"], 2);
  EXPECT_FALSE(data["perPatch"].get<bool>());
  const std::vector<unsigned char> codes = {0, 0, 0xfe, 0xff, 0, 0, 0xff, 0xff};  // least, greatest; least, none
  EXPECT_EQ(data["codes"], base64(std::as_bytes(std::span(codes))));
  const std::vector<float> ends = {0, 1, 0.5f, 0.5f};
  EXPECT_EQ(data["ends"], base64(std::as_bytes(std::span(ends))));
  EXPECT_TRUE(data["least"].is_null());
}

TEST(HtmlExplorer, TakesAMapFromEachPatch) {
  auto explorer = small_explorer();
  explorer.axes.clear();
  explorer.maps = {{0, 1, /* from the first */ 0, 2, /* from the second */ 4, 3}};
  explorer.least = -1.0f;
  const auto html = explorer_html(explorer, words);
  const auto data = data_of(html);
  EXPECT_TRUE(data["perPatch"].get<bool>());
  const std::vector<unsigned char> codes = {0, 254, 0, 254, 254, 0};
  EXPECT_EQ(data["codes"], base64(std::as_bytes(std::span(codes))));
  EXPECT_EQ(data["least"], -1);
  EXPECT_THAT(html, HasSubstr(words.everywhere));
}

TEST(HtmlExplorer, OffersButtonsForFewChoicesAndASliderForMany) {
  auto explorer = small_explorer();
  EXPECT_THAT(explorer_html(explorer, words), HasSubstr("type=\"radio\" name=\"layer\" value=\"1\" checked"));
  explorer.axes = {{"layer", std::vector<std::string>(12, "x"), 3}};
  explorer.maps.assign(12, {0, 1});
  EXPECT_THAT(explorer_html(explorer, words), HasSubstr("type=\"range\" min=\"0\" max=\"11\" value=\"3\""));
}

TEST(HtmlExplorer, RefusesMapsThatDoNotFit) {
  auto explorer = small_explorer();
  explorer.maps.pop_back();
  EXPECT_THROW(explorer_html(explorer, words), std::exception);
  explorer = small_explorer();
  explorer.maps[1].push_back(0);
  EXPECT_THROW(explorer_html(explorer, words), std::exception);
}

HtmlScatter three_points() {
  return {.title = "map",
          .description = "three",
          .points = {{.x = 0, .y = 0, .name = "a", .neighbours = {{.point = 2, .score = "0.9"}}},
                     {.x = 2, .y = 1, .name = "b", .group = 1},
                     {.x = 1, .y = 0.5, .name = "c", .group = 1}},
          .groups = {"cats", "dogs"}};
}

TEST(HtmlScatter, PlacesPointsWithYUpwardsAndOneScale) {
  const auto data = data_of(scatter_html(three_points(), words));
  const auto& points = data["points"];
  EXPECT_EQ(points[2]["x"], 500);  // the middle of both stands in the middle
  EXPECT_EQ(points[2]["y"], 320);
  EXPECT_EQ(points[0]["x"], 24);  // the margin: the width is what binds
  EXPECT_EQ(points[1]["x"], 976);
  const double right = points[1]["x"].get<double>() - points[0]["x"].get<double>();
  const double up = points[0]["y"].get<double>() - points[1]["y"].get<double>();
  EXPECT_NEAR(up, right / 2, 0.1);
  EXPECT_EQ(points[0]["neighbours"], Json::parse(R"([[2, "0.9"]])"));
}

TEST(HtmlScatter, DrawsTheDotsOfEachGroupWithoutScript) {
  const auto html = scatter_html(three_points(), words);
  EXPECT_THAT(html, HasSubstr("<path class=\"series-0\" d=\"M24 558m-5"));
  EXPECT_THAT(html, HasSubstr("<path class=\"series-1\" d=\"M976 82m-5"));
  EXPECT_THAT(html, HasSubstr("dogs <small>2</small>"));
}

TEST(HtmlScatter, TakesOnePointWithoutAGroup) {
  const HtmlScatter one = {.description = "one", .points = {{.x = 7, .y = 7, .name = "a"}}};
  EXPECT_EQ(data_of(scatter_html(one, words))["points"][0]["x"], 500);
}

TEST(HtmlScatter, RefusesWhatIsNotThere) {
  auto map = three_points();
  map.points[0].neighbours[0].point = 3;
  EXPECT_THROW(scatter_html(map, words), std::exception);
  map = three_points();
  map.points[1].group = 2;
  EXPECT_THROW(scatter_html(map, words), std::exception);
  map = three_points();
  map.points[1].x = NAN;
  EXPECT_THROW(scatter_html(map, words), std::exception);
}

}  // namespace
}  // namespace nunchi::draw
