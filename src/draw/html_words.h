// draw/html_words.h: the words that a page says of itself, in the reader's language. What the caller writes stays as it
// is.
//
//   const HtmlWords& words = html_words(Language::korean);
//   html_element("span", words.opacity);                      // <span>불투명도</span>
#pragma once

namespace nunchi::draw {

enum class Language { english, korean };

// What stands in braces is filled in by the page's script.
struct HtmlWords {
  const char* code;  // of the language, as in lang="ko"
  const char* skip_to_content;
  const char* contents;  // of the page
  const char* dark;
  const char* table;    // what a table without a caption is called
  const char* best;     // of the values in a column
  const char* sort_by;  // "{name}"
  // Galleries.
  const char* enlarge;  // "{name}"
  const char* close;
  const char* previous;
  const char* next;
  const char* of_count;  // "{number}", "{count}"
  // Explorers.
  const char* opacity;
  const char* smooth;
  const char* least;
  const char* greatest;
  const char* value_at;  // "{value}", "{row}", "{column}"
  const char* no_value;
  const char* seen_from;  // "{row}", "{column}"
  const char* everywhere;
  const char* explorer_keys;
  const char* explorer_click_keys;
  // Maps of many points.
  const char* search;
  const char* found;  // "{count}", "{all}"
  const char* groups;
  const char* as_pictures;
  const char* nearest;
  const char* zoom_in;
  const char* zoom_out;
  const char* zoom_all;
  const char* scatter_keys;
};

const HtmlWords& html_words(Language language);

}  // namespace nunchi::draw
