// For the tests of what is drawn: the pixels of a PNG, and what can be said of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/file.h"
#include "draw/canvas.h"
#include "image/decode.h"
#include "image/resize.h"

namespace nunchi::draw {

// NUNCHI_DRAWN=FOLDER keeps the files, for looking at them.
template <class Bytes>
const Bytes& kept(const Bytes& file, const std::string& name) {
  if (const char* folder = std::getenv("NUNCHI_DRAWN")) write_file(std::string(folder) + "/" + name, file);
  return file;
}

inline image::Picture drawn(const std::vector<std::byte>& png, const std::string& name) {
  return image::decode(kept(png, name + ".png"), name);
}

// The pixels of exactly this colour.
inline std::int64_t count_of(const image::Picture& picture, const Color& color) {
  const auto is = [](std::uint8_t value, double part) { return std::abs(value - 255 * part) < 1.5; };
  std::int64_t found = 0;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    found += is(picture.pixels[i], color.red) && is(picture.pixels[i + 1], color.green) &&
             is(picture.pixels[i + 2], color.blue);
  }
  return found;
}

// The smallest rectangle around the pixels of exactly this colour, in pixels.
inline Rectangle extent_of(const image::Picture& picture, const Color& color) {
  int left = picture.width, right = -1, top = picture.height, bottom = -1;
  const auto is = [](std::uint8_t value, double part) { return std::abs(value - 255 * part) < 1.5; };
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const std::uint8_t* pixel = picture.row(y) + 3 * x;
      if (!is(pixel[0], color.red) || !is(pixel[1], color.green) || !is(pixel[2], color.blue)) continue;
      left = std::min(left, x), right = std::max(right, x);
      top = std::min(top, y), bottom = std::max(bottom, y);
    }
  }
  return {static_cast<double>(left), static_cast<double>(top), right - left + 1.0, bottom - top + 1.0};
}

// Nothing but paper in the outermost points: whatever is drawn there was cut or is about to be.
inline testing::AssertionResult has_a_clean_edge(const image::Picture& picture) {
  constexpr int edge = 12;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const bool inside = x >= edge && y >= edge && x < picture.width - edge && y < picture.height - edge;
      const std::uint8_t* pixel = picture.row(y) + 3 * x;
      if (!inside && (pixel[0] < 255 || pixel[1] < 255 || pixel[2] < 255))
        return testing::AssertionFailure() << "something is drawn at " << x << ", " << y;
    }
  }
  return testing::AssertionSuccess();
}

// How alike two pictures are in their structure: the mean SSIM (Wang et al. 2004) of squares of 8 x 8 in their grey
// pictures, both brought to 160 x 160; 1 for the same. Antialiasing and fonts change it by less than 0.05, a shape that
// is missing by more.
inline double likeness(const image::Picture& a, const image::Picture& b) {
  constexpr int side = 160, square = 8;
  const auto grey = [](const image::Picture& picture) {
    const auto small = image::resize(picture, side, side);
    std::vector<double> values;
    for (std::size_t i = 0; i < small.pixels.size(); i += 3)
      values.push_back(0.299 * small.pixels[i] + 0.587 * small.pixels[i + 1] + 0.114 * small.pixels[i + 2]);
    return values;
  };
  const auto first = grey(a), second = grey(b);
  double sum = 0;
  for (int y = 0; y < side; y += square) {
    for (int x = 0; x < side; x += square) {
      double m1 = 0, m2 = 0, s11 = 0, s22 = 0, s12 = 0;
      constexpr double count = square * square;
      for (int i = 0; i < square * square; ++i) {
        const auto at = static_cast<std::size_t>((y + i / square) * side + x + i % square);
        m1 += first[at] / count, m2 += second[at] / count;
        s11 += first[at] * first[at] / count, s22 += second[at] * second[at] / count;
        s12 += first[at] * second[at] / count;
      }
      constexpr double c1 = 6.5025, c2 = 58.5225;  // (0.01 * 255)^2, (0.03 * 255)^2
      sum += (2 * m1 * m2 + c1) * (2 * (s12 - m1 * m2) + c2) /
             ((m1 * m1 + m2 * m2 + c1) * (s11 - m1 * m1 + s22 - m2 * m2 + c2));
    }
  }
  return sum * square * square / (side * side);
}

inline std::int64_t occurrences(const std::string& text, const std::string& part) {
  std::int64_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Every element that is opened is closed, in order.
inline testing::AssertionResult is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (auto at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const auto end = xml.find('>', at);
    if (end == std::string::npos) return testing::AssertionFailure() << "an element does not end at " << at;
    const std::string element = xml.substr(at + 1, end - at - 1);
    if (element.starts_with('?') || element.starts_with('!') || element.ends_with('/')) continue;
    if (!element.starts_with('/')) {
      open.push_back(element.substr(0, element.find_first_of(" \n")));
    } else if (open.empty() || open.back() != element.substr(1)) {
      return testing::AssertionFailure() << "<" << element << "> closes nothing";
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? testing::AssertionSuccess() : testing::AssertionFailure() << "<" << open.back() << "> is open";
}

// Head, tail, and a table of objects where the tail says, each of them where the table says (ISO 32000, 7.5).
inline testing::AssertionResult is_pdf(const std::string& file) {
  const auto tail = file.rfind("startxref\n");
  if (!file.starts_with("%PDF-1.") || tail == std::string::npos || !file.ends_with("%%EOF\n"))
    return testing::AssertionFailure() << "no head or no tail";
  const auto table = static_cast<std::size_t>(std::stoul(file.substr(tail + 10)));
  if (file.substr(table, 5) != "xref\n") return testing::AssertionFailure() << "no table at " << table;
  const auto count = std::stoul(file.substr(table + 7));  // "0 12"
  const auto first = file.find('\n', table + 5) + 1;
  for (std::size_t object = 1; object < count; ++object) {
    const auto at = static_cast<std::size_t>(std::stoul(file.substr(first + 20 * object, 10)));
    if (!file.substr(at).starts_with(std::to_string(object) + " 0 obj"))
      return testing::AssertionFailure() << "object " << object << " is not at " << at;
  }
  return testing::AssertionSuccess();
}

}  // namespace nunchi::draw
