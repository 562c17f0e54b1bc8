#include "draw/html_report.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "core/assert.h"
#include "draw/html_script.h"
#include "draw/html_style.h"

namespace nunchi::draw {
namespace {

constexpr std::size_t fewest_listed_headings = 3;

std::string bar(const HtmlBar& bar) {
  const double share = std::clamp(bar.share, 0.0, 1.0);
  return fmt::format("<div class=\"bar\"><i style=\"width:{:.1f}%\"></i><span>{}</span><span>{:.1f} %</span></div>\n",
                     100 * share, escape_html(bar.name), 100 * bar.share);
}

std::string card(const HtmlCard& card, std::string_view title_element) {
  std::string html = "<article class=\"card\">\n";
  if (!card.pictures.empty()) {
    html += "<div class=\"pictures\">";
    for (const auto& picture : card.pictures) html += html_figure(picture);
    html += "</div>\n";
  }
  html += "<div class=\"words\">" + html_element(title_element, card.title, " class=\"title\"") + "\n";
  for (const auto& each : card.bars) html += bar(each);
  if (!card.note.empty()) html += html_element("p", card.note, " class=\"small\"") + "\n";
  return html + "</div>\n</article>\n";
}

// How many characters a text is wide, near enough.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char each) { return (static_cast<unsigned char>(each) & 0xc0u) != 0x80; }));
}

std::string policy(std::string_view script) {
  std::array<unsigned char, 32> digest{};
  ASSERT(EVP_Digest(script.data(), script.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1,
         "SHA-256 is always there");
  return fmt::format(
      "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'; base-uri 'none'; "
      "form-action 'none'",
      base64(std::as_bytes(std::span(digest))));
}

std::string listed(const std::vector<std::string>& headings, const HtmlWords& words) {
  if (headings.size() < fewest_listed_headings) return "";
  std::string html = fmt::format("<nav aria-label=\"{}\"><ul>\n", escape_html(words.contents));
  for (std::size_t i = 0; i < headings.size(); ++i)
    html += fmt::format("<li><a href=\"#part-{}\">{}</a></li>\n", i + 1, escape_html(headings[i]));
  return html + "</ul></nav>\n";
}

std::string head(const std::string& title, const HtmlWords& words) {
  const std::string script = html_script();
  return fmt::format(
             "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n",
             words.code, policy(script)) +
         html_element("title", title) + "\n<style>" + html_style() + "</style>\n<script>" + script +
         "</script>\n</head>\n";
}

}  // namespace

HtmlReport::HtmlReport(const std::string& title, const std::string& lead, const HtmlReportOptions& options)
    : words_(html_words(options.language)), title_(title), lead_(lead) {}

std::string_view HtmlReport::title_element() const { return headings_.empty() ? "h2" : "h3"; }

void HtmlReport::figures(const std::vector<HtmlFigure>& figures) {
  std::size_t longest = 1;
  for (const auto& figure : figures) longest = std::max(longest, characters(figure.value));
  body_ += fmt::format("<div class=\"figures\" style=\"--longest:{}\">\n", longest);
  for (const auto& [value, name] : figures)
    body_ += "<div>" + html_element("b", value) + html_element("span", name) + "</div>\n";
  body_ += "</div>\n";
}

void HtmlReport::heading(const std::string& text) {
  headings_.push_back(text);
  body_ += html_element("h2", text, fmt::format(" id=\"part-{}\"", headings_.size())) + "\n";
}

void HtmlReport::paragraph(const std::string& text) { body_ += html_element("p", text) + "\n"; }

void HtmlReport::note(const std::string& text) {
  body_ += html_element("p", text, " class=\"note\" role=\"note\"") + "\n";
}

void HtmlReport::code(const std::string& text) {
  body_ += "<pre class=\"code\" tabindex=\"0\">" + html_element("code", text) + "</pre>\n";
}

void HtmlReport::picture(const HtmlPicture& picture) { body_ += html_figure(picture, " class=\"paper\""); }

void HtmlReport::drawing(const Drawing& drawing, const std::string& description) {
  picture({svg_uri(svg_of(drawing)), description});
}

void HtmlReport::cards(const std::vector<HtmlCard>& cards) {
  const bool wide = std::any_of(cards.begin(), cards.end(), [](const auto& each) { return each.pictures.size() > 1; });
  body_ += wide ? "<div class=\"cards wide\">\n" : "<div class=\"cards\">\n";
  for (const auto& each : cards) body_ += card(each, title_element());
  body_ += "</div>\n";
}

void HtmlReport::gallery(const HtmlGallery& gallery) {
  has_gallery_ = true;
  body_ += gallery_html(gallery, words_);
}

void HtmlReport::explorer(const HtmlExplorer& explorer) { body_ += explorer_html(explorer, words_, title_element()); }

void HtmlReport::scatter(const HtmlScatter& scatter) { body_ += scatter_html(scatter, words_, title_element()); }

void HtmlReport::table(const HtmlTable& table) { body_ += table_html(table, words_); }

void HtmlReport::definitions(const std::vector<HtmlDefinition>& definitions) {
  body_ += "<dl>\n";
  for (const auto& [term, meaning] : definitions)
    body_ += "<div>" + html_element("dt", term) + html_element("dd", meaning) + "</div>\n";
  body_ += "</dl>\n";
}

void HtmlReport::commands(const std::vector<HtmlCommand>& commands) {
  body_ += "<ul class=\"commands\">\n";
  for (const auto& [purpose, command] : commands)
    body_ += "<li>" + html_element("code", command) + html_element("span", purpose) + "</li>\n";
  body_ += "</ul>\n";
}

void HtmlReport::footer(const std::string& text) { footer_ += html_element("p", text) + "\n"; }

void HtmlReport::details(const std::string& summary, const std::function<void()>& content, bool open) {
  body_ += (open ? "<details open>" : "<details>") + html_element("summary", summary) + "<div>\n";
  content();
  body_ += "</div></details>\n";
}

std::string HtmlReport::html() const {
  std::string page = head(title_, words_) + "<body>\n" +
                     html_element("a", words_.skip_to_content, " class=\"skip\" href=\"#content\"") + "\n<header>\n" +
                     html_element("button", words_.dark, " type=\"button\" class=\"theme scripted\"") +
                     html_element("h1", title_);
  if (!lead_.empty()) page += html_element("p", lead_);
  page += "</header>\n" + listed(headings_, words_) + "<main id=\"content\">\n" + body_ + "</main>\n";
  if (!footer_.empty()) page += "<footer>\n" + footer_ + "</footer>\n";
  if (has_gallery_) page += lightbox_html(words_);
  return page + "</body>\n</html>\n";
}

}  // namespace nunchi::draw
