// draw/html_parts.h: the small pieces of which an HtmlReport and its widgets are made.
//
//   HtmlPicture picture = {data_uri(jpeg, "image/jpeg"), "a cat on a chair"};
//   std::string html = html_element("p", "1 < 2");                          // <p>1 &lt; 2</p>
//
// Every text is escaped; what is not UTF-8 is replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/json.h"

namespace nunchi::draw {

struct HtmlPicture {
  std::string source;       // data_uri() or svg_uri()
  std::string description;  // for those who do not see it
  std::string caption = {};
  bool pixels = false;  // a picture of few pixels, shown as squares
};

std::string base64(std::span<const std::byte> bytes);

// "data:image/png;base64,...".
std::string data_uri(std::span<const std::byte> file, std::string_view type);

// Of a chart as Canvas::svg() gives it: several in one page do not mix up their names.
std::string svg_uri(std::string_view svg);

// For text and attribute values.
std::string escape_html(std::string_view text);

// <name>text</name>; `attributes` is markup already: " class=\"quiet\"".
std::string html_element(std::string_view name, std::string_view text, std::string_view attributes = "");

// <img>
std::string html_image(const HtmlPicture& picture);

// <figure>, the caption in it where there is one.
std::string html_figure(const HtmlPicture& picture, std::string_view attributes = "");

// Data for the page's script, in a block that browsers do not run.
std::string html_data(const Json& data);

}  // namespace nunchi::draw
