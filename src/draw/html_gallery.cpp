#include "draw/html_gallery.h"

namespace nunchi::draw {
namespace {

std::string item(const HtmlGalleryItem& item) {
  std::string html = item.highlighted ? "<li class=\"highlighted\"" : "<li";
  if (!item.large.empty()) html += fmt::format(" data-large=\"{}\"", escape_html(item.large));
  html += "><figure>" + html_image(item.picture) + "<figcaption>";
  if (!item.title.empty() || !item.score.empty()) html += "<span class=\"name\">";
  if (!item.title.empty()) html += html_element("b", item.title);
  if (!item.score.empty()) html += html_element("i", item.score);
  if (!item.title.empty() || !item.score.empty()) html += "</span>";
  if (!item.picture.caption.empty()) html += html_element("small", item.picture.caption);
  return html + "</figcaption></figure></li>\n";
}

std::string button(std::string_view name, std::string_view label, std::string_view sign) {
  return fmt::format("<button type=\"button\" class=\"{}\" aria-label=\"{}\" title=\"{}\">{}</button>", name,
                     escape_html(label), escape_html(label), sign);
}

}  // namespace

std::string gallery_html(const HtmlGallery& gallery, const HtmlWords& words) {
  std::string html = fmt::format("<ul class=\"gallery{}\" style=\"--width:{}px\" data-enlarge=\"{}\">\n",
                                 gallery.whole ? " whole" : "", gallery.least_width, escape_html(words.enlarge));
  for (const auto& each : gallery.items) html += item(each);
  return html + "</ul>\n";
}

std::string lightbox_html(const HtmlWords& words) {
  return fmt::format(
             "<dialog class=\"lightbox\" data-count=\"{}\"><img alt=\"\"><p class=\"said\" aria-live=\"polite\"></p>",
             escape_html(words.of_count)) +
         button("previous", words.previous, "&#8249;") + button("next", words.next, "&#8250;") +
         button("close", words.close, "&#215;") + "</dialog>\n";
}

}  // namespace nunchi::draw
