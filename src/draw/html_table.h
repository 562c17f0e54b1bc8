// draw/html_table.h: a table of an HtmlReport whose best values are marked and whose rows the reader can sort.
//
//   report.table({.head = {"model", "top-1", "time"},
//                 .rows = {{"ViT-S", "79.8 %", "4.1 ms"}, {"ViT-B", "81.1 %", "12 ms"}},
//                 .best = {HtmlBest::none, HtmlBest::greatest, HtmlBest::least}, .sortable = true});
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "draw/html_words.h"

namespace nunchi::draw {

inline constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

enum class HtmlBest { none, least, greatest };

struct HtmlTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;  // the first cell is words, the others are numbers
  std::vector<HtmlBest> best = {};             // for each column; what is missing is none
  // [rows][columns]: what the cells stand for, where their texts are in several units ("3 ms", "1.2 s"); no_number for
  // none. Without: the number with which the text begins, "1,234.5 MB" being 1234.5.
  std::vector<std::vector<double>> numbers = {};
  bool sortable = false;  // by a click on a column's head; without script it stays as it is
  std::string caption = {};
};

std::string table_html(const HtmlTable& table, const HtmlWords& words);

// The number with which a text begins; no_number where there is none.
double leading_number(const std::string& text);

}  // namespace nunchi::draw
