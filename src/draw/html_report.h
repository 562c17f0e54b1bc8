// draw/html_report.h: one HTML file that holds everything it shows: to be mailed, printed, and read on a telephone.
//
//   HtmlReport report("nunchi demo", "Seven photos, one small network.", {.language = Language::english});
//   report.heading("What is in the pictures");
//   report.cards({{.title = "cat", .pictures = {{data_uri(jpeg, "image/jpeg"), "a cat"}}, .bars = {{"cat", 0.97}}}});
//   write_file("report.html", report.html());                               // core/file.h
//
// Nothing comes from outside: a content security policy says so to the browser and allows one script alone, that of
// html_script.h, by its hash. Without script everything can be read; with it maps are explored, pictures open large,
// tables are sorted. Light and dark as the reader's system is, until the reader chooses. Every text is escaped; what is
// not UTF-8 is replaced.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "draw/drawing.h"
#include "draw/html_explorer.h"
#include "draw/html_gallery.h"
#include "draw/html_parts.h"
#include "draw/html_scatter.h"
#include "draw/html_table.h"
#include "draw/html_words.h"

namespace nunchi::draw {

struct HtmlBar {
  std::string name;
  double share = 0;  // 0 ... 1
};

struct HtmlCard {
  std::string title;
  std::vector<HtmlPicture> pictures = {};  // side by side
  std::vector<HtmlBar> bars = {};
  std::string note = {};
};

struct HtmlFigure {
  std::string value, name;
};

struct HtmlCommand {
  std::string purpose, command;
};

struct HtmlDefinition {
  std::string term, meaning;
};

struct HtmlReportOptions {
  Language language = Language::english;  // of the caller's texts, and so of the page's own words
};

class HtmlReport {
 public:
  HtmlReport(const std::string& title, const std::string& lead, const HtmlReportOptions& options = {});

  void figures(const std::vector<HtmlFigure>& figures);  // a few large numbers
  void heading(const std::string& text);                 // with several, the page begins with a list of them
  void paragraph(const std::string& text);
  void note(const std::string& text);        // a paragraph set apart: what to know before reading on
  void code(const std::string& text);        // as it is, in a box
  void picture(const HtmlPicture& picture);  // as wide as the page, on paper
  void drawing(const Drawing& drawing, const std::string& description);  // the same, as SVG
  void cards(const std::vector<HtmlCard>& cards);
  void gallery(const HtmlGallery& gallery);
  void explorer(const HtmlExplorer& explorer);
  void scatter(const HtmlScatter& scatter);
  void table(const HtmlTable& table);
  void definitions(const std::vector<HtmlDefinition>& definitions);
  void commands(const std::vector<HtmlCommand>& commands);
  void footer(const std::string& text);

  // What `content` adds to this report stands folded under the summary; in print it is open.
  void details(const std::string& summary, const std::function<void()>& content, bool open = false);

  std::string html() const;

 private:
  std::string_view title_element() const;  // of cards and widgets: the next below the last heading

  const HtmlWords& words_;
  std::string title_, lead_, body_, footer_;
  std::vector<std::string> headings_;
  bool has_gallery_ = false;
};

}  // namespace nunchi::draw
