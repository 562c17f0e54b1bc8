// Every text of a page has its Korean, and nothing in the table is of no page.
#include "cli/page_words.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "cli/program.h"
#include "core/file.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

// What stands in say("...") and .summary = "..." in the sources of the pages, its parts joined.
std::set<std::string> said() {
  std::set<std::string> all;
  const std::regex call(R"((?:\bsay_?(?:\(\))?\(|\.summary =)\s*((?:"(?:[^"\\]|\\.)*"\s*)+))");
  const std::regex part(R"re("((?:[^"\\]|\\.)*)")re");
  std::vector<fs::path> files = {fs::path(NUNCHI_SOURCE_DIR) / "src/explain/methods.cpp"};
  for (const auto& entry : fs::directory_iterator(fs::path(NUNCHI_SOURCE_DIR) / "src/cli"))
    if (entry.path().extension() == ".cpp") files.push_back(entry.path());
  for (const auto& file : files) {
    const auto text = read_file(file, 1 << 20, ErrorKind::input);
    for (std::sregex_iterator found(text.begin(), text.end(), call), end; found != end; ++found) {
      const auto parts = (*found)[1].str();
      std::string whole;
      for (std::sregex_iterator one(parts.begin(), parts.end(), part); one != end; ++one) whole += (*one)[1];
      all.insert(whole);
    }
  }
  return all;
}

// "{:.2f}" of "{1:.2f}": how each value is written, in the order of the values.
std::multiset<std::string> fields_of(std::string_view text) {
  const std::regex field(R"(\{\d*(:[^}]*)?\})");
  const std::string whole(text);
  std::multiset<std::string> fields;
  for (std::sregex_iterator found(whole.begin(), whole.end(), field), end; found != end; ++found)
    fields.insert((*found)[1]);
  return fields;
}

// As fmt asks: the places of all values are numbered, each once, or those of none.
bool has_one_place_for_each(std::string_view text) {
  const std::regex place(R"(\{(\d*)(?::[^}]*)?\})");
  const std::string whole(text);
  std::multiset<std::string> places, numbers;
  for (std::sregex_iterator found(whole.begin(), whole.end(), place), end; found != end; ++found) {
    numbers.insert(std::to_string(places.size()));
    places.insert((*found)[1]);
  }
  return places == numbers || places.count("") == places.size();
}

TEST(PageWords, AllHaveTheirKorean) {
  const auto texts = said();
  ASSERT_GT(texts.size(), 50U);
  for (const auto& text : texts) EXPECT_TRUE(korean_words().contains(text)) << text;
  for (const auto& [english, korean] : korean_words()) {
    EXPECT_TRUE(texts.contains(std::string(english))) << english << ": no page says so";
    EXPECT_EQ(fields_of(english), fields_of(korean)) << korean;
    EXPECT_TRUE(has_one_place_for_each(korean)) << korean;
  }
}

TEST(PageWords, OfAnotherLanguageAreRefusedByName) {
  const auto run = run_program({"walk", "no-model", "cat.jpg", "--language", "de"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, testing::AllOf(testing::HasSubstr("--language"),
                                      testing::HasSubstr("de: not known; known are en and ko")));
}

TEST(PageWords, AreFilledInInTheOrderOfTheLanguage) {
  EXPECT_EQ(PageWords(draw::Language::english)("{} of {}", "lrp", "cat.jpg"), "lrp of cat.jpg");
  EXPECT_EQ(PageWords(draw::Language::korean)("{} of {}", "lrp", "cat.jpg"), "cat.jpg의 lrp");
  EXPECT_EQ(PageWords(draw::Language::korean)("what nobody says {}", 3), "what nobody says 3");
}

}  // namespace
}  // namespace nunchi::cli
