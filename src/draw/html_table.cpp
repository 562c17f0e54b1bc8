#include "draw/html_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "draw/html_parts.h"

namespace nunchi::draw {
namespace {

double number_of(const HtmlTable& table, std::size_t row, std::size_t column) {
  if (table.numbers.empty()) return leading_number(table.rows[row][column]);
  const bool given = row < table.numbers.size() && column < table.numbers[row].size();
  return given ? table.numbers[row][column] : no_number;
}

std::optional<double> best_of(const HtmlTable& table, std::size_t column) {
  const HtmlBest wanted = column < table.best.size() ? table.best[column] : HtmlBest::none;
  if (wanted == HtmlBest::none) return std::nullopt;
  std::optional<double> best;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (column >= table.rows[row].size()) continue;
    const double number = number_of(table, row, column);
    if (std::isnan(number)) continue;
    if (!best || (wanted == HtmlBest::least ? number < *best : number > *best)) best = number;
  }
  return best;
}

std::string head(const HtmlTable& table) {
  std::string html = "<thead><tr>";
  for (std::size_t column = 0; column < table.head.size(); ++column) {
    const bool descending = column < table.best.size() && table.best[column] == HtmlBest::greatest;
    html += html_element("th", table.head[column], descending ? " scope=\"col\" data-descending" : " scope=\"col\"");
  }
  return html + "</tr></thead>\n";
}

std::string cell(const HtmlTable& table, std::size_t row, std::size_t column, bool best, const HtmlWords& words) {
  const auto& text = table.rows[row][column];
  if (column == 0) return html_element("th", text, " scope=\"row\"");
  const double number = number_of(table, row, column);
  const std::string value = table.sortable && !std::isnan(number) ? fmt::format(" data-value=\"{}\"", number) : "";
  if (!best) return html_element("td", text, value);
  return fmt::format("<td{} class=\"best\"><small>{}</small> {}</td>", value, escape_html(words.best),
                     escape_html(text));
}

std::string body(const HtmlTable& table, const HtmlWords& words) {
  std::vector<std::optional<double>> best;
  std::string html = "<tbody>\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    html += "<tr>";
    for (std::size_t column = 0; column < table.rows[row].size(); ++column) {
      if (column == best.size()) best.push_back(best_of(table, column));
      html += cell(table, row, column, best[column] && number_of(table, row, column) == *best[column], words);
    }
    html += "</tr>\n";
  }
  return html + "</tbody>";
}

}  // namespace

double leading_number(const std::string& text) {
  std::string digits = text;
  std::erase(digits, ',');
  if (digits.starts_with('+')) digits.erase(0, 1);
  if (digits.starts_with("\xe2\x88\x92")) digits.replace(0, 3, "-");  // the minus sign of typography
  double number = no_number;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && std::isfinite(number) ? number : no_number;
}

std::string table_html(const HtmlTable& table, const HtmlWords& words) {
  std::string html = fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table",
                                 escape_html(table.caption.empty() ? words.table : table.caption));
  if (table.sortable) html += fmt::format(" class=\"sortable\" data-sort=\"{}\"", escape_html(words.sort_by));
  html += ">\n";
  if (!table.caption.empty()) html += html_element("caption", table.caption) + "\n";
  return html + head(table) + body(table, words) + "</table></div>\n";
}

}  // namespace nunchi::draw
