// cli/page_words.h: what pages and figures say, in the reader's language. English stands where it is said, the others
// in a table of page_words_korean.cpp.
//
//   const PageWords say(draw::Language::korean);
//   page.heading(say("How to read it"));           // "읽는 법"
//   panel.title = say("head {}", 3);               // "헤드 3": filled in as fmt does
#pragma once

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "draw/html_words.h"

namespace nunchi::cli {

using Translations = std::map<std::string_view, std::string_view>;  // English -> another language

const Translations& korean_words();

class PageWords {
 public:
  explicit PageWords(draw::Language language = draw::Language::english) : language_(language) {}

  draw::Language language() const { return language_; }

  // What has no translation stays as it is.
  template <typename... Arguments>
  std::string operator()(std::string_view english, const Arguments&... arguments) const {
    return fmt::vformat(translated(english), fmt::make_format_args(arguments...));
  }

 private:
  std::string_view translated(std::string_view english) const {
    if (language_ == draw::Language::english) return english;
    const auto found = korean_words().find(english);
    return found != korean_words().end() ? found->second : english;
  }

  draw::Language language_;
};

}  // namespace nunchi::cli
