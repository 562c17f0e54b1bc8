#include "draw/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "draw/html_style.h"

namespace nunchi::draw {
namespace {

// How many bytes of a well-formed UTF-8 character stand at the beginning; 0 where there is none (Unicode 15, table
// 3-7).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0u) != 0x80) return 0;
  const unsigned second = byte(1);
  const bool too_short = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f, too_large = first == 0xf4 && second > 0x8f;
  return too_short || surrogate || too_large ? 0 : length;
}

void append_escaped(std::string& html, char character) {
  switch (character) {
    case '&':
      html += "&amp;";
      return;
    case '<':
      html += "&lt;";
      return;
    case '>':
      html += "&gt;";
      return;
    case '"':
      html += "&quot;";
      return;
    case '\'':
      html += "&#39;";
      return;
    default:
      const bool control = static_cast<unsigned char>(character) < 0x20 && character != '\n' && character != '\t';
      if (control || character == 0x7f)
        html += "\xef\xbf\xbd";
      else
        html += character;
  }
}

std::string element(std::string_view name, const std::string& text) {
  return fmt::format("<{0}>{1}</{0}>", name, escape_html(text));
}

std::string figure(const HtmlPicture& picture, std::string_view kind) {
  std::string html =
      fmt::format("<figure{}><img{} src=\"{}\" alt=\"{}\">", kind, picture.pixels ? " class=\"pixels\"" : "",
                  escape_html(picture.source), escape_html(picture.description));
  if (!picture.caption.empty()) html += element("figcaption", picture.caption);
  return html + "</figure>\n";
}

std::string bar(const HtmlBar& bar) {
  const double share = std::clamp(bar.share, 0.0, 1.0);
  return fmt::format("<div class=\"bar\"><i style=\"width:{:.1f}%\"></i><span>{}</span><span>{:.1f} %</span></div>\n",
                     100 * share, escape_html(bar.name), 100 * bar.share);
}

std::string card(const HtmlCard& card) {
  std::string html = "<article class=\"card\">\n";
  if (!card.pictures.empty()) {
    html += "<div class=\"pictures\">";
    for (const auto& picture : card.pictures) html += figure(picture, "");
    html += "</div>\n";
  }
  html += "<div class=\"words\">" + element("h3", card.title) + "\n";
  for (const auto& each : card.bars) html += bar(each);
  if (!card.note.empty()) html += "<p class=\"note\">" + escape_html(card.note) + "</p>\n";
  return html + "</div>\n</article>\n";
}

std::string row(const std::vector<std::string>& cells, std::string_view kind) {
  std::string html = "<tr>";
  for (const auto& cell : cells) html += element(kind, cell);
  return html + "</tr>\n";
}

}  // namespace

std::string data_uri(std::span<const std::byte> file, std::string_view type) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text = fmt::format("data:{};base64,", type);
  text.reserve(text.size() + (file.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < file.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, file.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < count ? std::to_integer<std::uint32_t>(file[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? letters[bits >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string escape_html(std::string_view text) {
  std::string html;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 1)
      append_escaped(html, text.front());
    else
      html += length == 0 ? "\xef\xbf\xbd" : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return html;
}

HtmlReport::HtmlReport(const std::string& title, const std::string& lead) : title_(title) {
  body_ = "<header>" + element("h1", title) + element("p", lead) + "</header>\n";
}

void HtmlReport::figures(const std::vector<HtmlFigure>& figures) {
  body_ += "<div class=\"figures\">\n";
  for (const auto& [value, name] : figures) body_ += "<div>" + element("b", value) + element("span", name) + "</div>\n";
  body_ += "</div>\n";
}

void HtmlReport::heading(const std::string& text) { body_ += element("h2", text) + "\n"; }

void HtmlReport::paragraph(const std::string& text) { body_ += element("p", text) + "\n"; }

void HtmlReport::picture(const HtmlPicture& picture) { body_ += figure(picture, " class=\"paper\""); }

void HtmlReport::cards(const std::vector<HtmlCard>& cards) {
  const bool wide = std::any_of(cards.begin(), cards.end(), [](const auto& each) { return each.pictures.size() > 1; });
  body_ += wide ? "<div class=\"cards wide\">\n" : "<div class=\"cards\">\n";
  for (const auto& each : cards) body_ += card(each);
  body_ += "</div>\n";
}

void HtmlReport::table(const HtmlTable& table) {
  body_ += "<div class=\"scroll\"><table>\n<thead>" + row(table.head, "th") + "</thead>\n<tbody>\n";
  for (const auto& cells : table.rows) body_ += row(cells, "td");
  body_ += "</tbody></table></div>\n";
}

void HtmlReport::commands(const std::vector<HtmlCommand>& commands) {
  body_ += "<ul class=\"commands\">\n";
  for (const auto& [purpose, command] : commands)
    body_ += "<li>" + element("code", command) + element("span", purpose) + "</li>\n";
  body_ += "</ul>\n";
}

void HtmlReport::footer(const std::string& text) { footer_ += element("p", text) + "\n"; }

std::string HtmlReport::html() const {
  constexpr std::string_view head =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n";
  std::string page(head);
  page +=
      element("title", title_) + "\n<style>" + html_style + "</style>\n</head>\n<body>\n<main>\n" + body_ + "</main>\n";
  if (!footer_.empty()) page += "<footer>\n" + footer_ + "</footer>\n";
  return page + "</body>\n</html>\n";
}

}  // namespace nunchi::draw
