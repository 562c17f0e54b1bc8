#include "draw/html_parts.h"

#include <algorithm>

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

}  // namespace

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < count ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? letters[bits >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string data_uri(std::span<const std::byte> file, std::string_view type) {
  return fmt::format("data:{};base64,", type) + base64(file);
}

std::string svg_uri(std::string_view svg) { return data_uri(std::as_bytes(std::span(svg)), "image/svg+xml"); }

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

std::string html_element(std::string_view name, std::string_view text, std::string_view attributes) {
  return fmt::format("<{0}{1}>{2}</{0}>", name, attributes, escape_html(text));
}

std::string html_image(const HtmlPicture& picture) {
  return fmt::format("<img{} src=\"{}\" alt=\"{}\">", picture.pixels ? " class=\"pixels\"" : "",
                     escape_html(picture.source), escape_html(picture.description));
}

std::string html_figure(const HtmlPicture& picture, std::string_view attributes) {
  std::string html = fmt::format("<figure{}>{}", attributes, html_image(picture));
  if (!picture.caption.empty()) html += html_element("figcaption", picture.caption);
  return html + "</figure>\n";
}

std::string html_data(const Json& data) {
  std::string text = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at))
    text.replace(at, 1, "\\u003c");
  return "<script type=\"application/json\">" + text + "</script>\n";
}

}  // namespace nunchi::draw
