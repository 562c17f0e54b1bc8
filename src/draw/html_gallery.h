// draw/html_gallery.h: a grid of pictures of an HtmlReport, each of which opens large.
//
//   report.gallery({.items = {{.picture = {data_uri(jpeg, "image/jpeg"), "a cat"}, .title = "cat", .score = "97 %"}}});
//
// A click, or Enter, opens a picture; the arrow keys turn over, Escape closes. Without script and in print it is the
// grid alone.
#pragma once

#include <vector>

#include "draw/html_parts.h"
#include "draw/html_words.h"

namespace nunchi::draw {

struct HtmlGalleryItem {
  HtmlPicture picture;       // its caption stands under the title
  std::string title = {};    // a name
  std::string score = {};    // beside the title: "0.93", "97 %"
  std::string large = {};    // data_uri() of what opens; without: the picture itself
  bool highlighted = false;  // framed: the query among the answers, the wrong ones among the right
};

struct HtmlGallery {
  std::vector<HtmlGalleryItem> items;
  int least_width = 150;  // of a picture, in CSS pixels; as many stand side by side as there is room for
  bool whole = false;     // the pictures in their own proportion; otherwise cut to squares
};

std::string gallery_html(const HtmlGallery& gallery, const HtmlWords& words);

// What opens over the page: once for all galleries.
std::string lightbox_html(const HtmlWords& words);

}  // namespace nunchi::draw
