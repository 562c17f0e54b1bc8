// draw/html_report.h: one HTML file that holds everything it shows: to be mailed, printed, and read on a telephone.
//
//   HtmlReport report("nunchi demo", "Seven photos, one small network.");
//   report.heading("What is in the pictures");
//   report.cards({{.title = "cat", .pictures = {{data_uri(jpeg, "image/jpeg"), "a cat"}}, .bars = {{"cat", 0.97}}}});
//   write_file("report.html", report.html());                               // core/file.h
//
// No script, nothing from outside (a content security policy says so to the browser), light and dark as the reader's
// system is. Every text is escaped; what is not UTF-8 is replaced.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nunchi::draw {

// "data:image/png;base64,...".
std::string data_uri(std::span<const std::byte> file, std::string_view type);

// For text and attribute values.
std::string escape_html(std::string_view text);

struct HtmlPicture {
  std::string source;  // data_uri()
  std::string description;
  std::string caption = {};
  bool pixels = false;  // a picture of few pixels, shown as squares
};

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

struct HtmlTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;  // the first cell is words, the others are numbers
};

struct HtmlCommand {
  std::string purpose, command;
};

class HtmlReport {
 public:
  HtmlReport(const std::string& title, const std::string& lead);

  void figures(const std::vector<HtmlFigure>& figures);  // a few large numbers
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void picture(const HtmlPicture& picture);  // as wide as the page, on paper
  void cards(const std::vector<HtmlCard>& cards);
  void table(const HtmlTable& table);
  void commands(const std::vector<HtmlCommand>& commands);
  void footer(const std::string& text);

  std::string html() const;

 private:
  std::string title_, body_, footer_;
};

}  // namespace nunchi::draw
