// PBM, PGM and PPM (Netpbm formats P1 to P6), with Pillow's scaling of unusual maximum values.
#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <cstring>
#include <vector>

#include "image/codecs.h"

namespace nunchi::image {
namespace {

struct Header {
  char kind = '6';
  std::int64_t width = 0, height = 0;
  int max_value = 1;

  bool plain() const { return kind <= '3'; }
  bool bitmap() const { return kind == '1' || kind == '4'; }
  int channels() const { return kind == '3' || kind == '6' ? 3 : 1; }
};

class Parser {
 public:
  explicit Parser(const Source& source) : source_(source) {}

  Header header() {
    Header header{.kind = static_cast<char>(source_.data()[1])};
    header.width = number();
    header.height = number();
    if (!header.bitmap()) header.max_value = number();
    if (header.max_value < 1 || header.max_value > 65535) {
      source_.fail("PNM", fmt::format("a maximum value of {}", header.max_value));
    }
    source_.check_size("PNM", header.width, header.height);
    return header;
  }

  // Leaves the position after the one white-space character that ends the number.
  int number() {
    skip_space();
    std::int64_t value = 0;
    int digits = 0;
    for (; at_ < source_.size() && std::isdigit(source_.data()[at_]); ++at_, ++digits) {
      value = value * 10 + (source_.data()[at_] - '0');
      if (digits >= 10) fail();
    }
    if (digits == 0 || value > INT32_MAX) fail();
    if (at_ < source_.size()) {
      if (!std::isspace(source_.data()[at_])) fail();
      ++at_;
    }
    return static_cast<int>(value);
  }

  bool plain_bit() {
    skip_space();
    if (at_ >= source_.size() || (source_.data()[at_] != '0' && source_.data()[at_] != '1')) fail();
    return source_.data()[at_++] == '1';
  }

  const std::uint8_t* raw(std::size_t count) {
    if (count > source_.size() - at_) source_.fail("PNM", "the file ends too early");
    const std::uint8_t* data = source_.data() + at_;
    at_ += count;
    return data;
  }

  // Each sample takes at least this many bytes: checked before memory is taken.
  void expect_at_least(std::size_t bytes) const {
    if (bytes > source_.size() - at_) source_.fail("PNM", "the file ends too early");
  }

 private:
  [[noreturn]] void fail() const { source_.fail("PNM", fmt::format("no number at byte {}", at_)); }

  void skip_space() {
    while (at_ < source_.size()) {
      const std::uint8_t c = source_.data()[at_];
      if (c == '#') {
        while (at_ < source_.size() && source_.data()[at_] != '\n' && source_.data()[at_] != '\r') ++at_;
      } else if (std::isspace(c)) {
        ++at_;
      } else {
        return;
      }
    }
  }

  const Source& source_;
  std::size_t at_ = 2;
};

// Colour is scaled to 255, rounding half to even; gray above 8 bits is scaled to 65535 and then clipped to 255.
std::vector<std::uint8_t> scale_table(const Header& header) {
  const bool wide_gray = header.channels() == 1 && header.max_value > 255;
  const double target = wide_gray ? 65535 : 255;
  std::vector<std::uint8_t> table(static_cast<std::size_t>(header.max_value) + 1);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double scaled = std::nearbyint(static_cast<double>(i) / header.max_value * target);
    table[i] = static_cast<std::uint8_t>(std::min(scaled, 255.0));
  }
  return table;
}

void put(std::uint8_t*& out, int channels, std::uint8_t value) {
  const std::size_t copies = channels == 1 ? 3 : 1;
  std::memset(out, value, copies);
  out += copies;
}

void read_bitmap(Parser& parser, const Header& header, Picture& picture) {
  const auto width = static_cast<std::size_t>(header.width);
  std::uint8_t* out = picture.pixels.data();
  for (std::int64_t y = 0; y < header.height; ++y) {
    const std::uint8_t* row = header.plain() ? nullptr : parser.raw((width + 7) / 8);
    for (std::size_t x = 0; x < width; ++x) {
      const bool black = row != nullptr ? (row[x / 8] >> (7 - x % 8) & 1) != 0 : parser.plain_bit();
      put(out, 1, black ? 0 : 255);
    }
  }
}

void read_samples(const Source& source, Parser& parser, const Header& header, Picture& picture) {
  const std::vector<std::uint8_t> table = scale_table(header);
  const std::size_t bytes = header.max_value > 255 ? 2 : 1;
  const std::size_t count = picture.pixels.size() / 3 * static_cast<std::size_t>(header.channels());
  const std::uint8_t* data = header.plain() ? nullptr : parser.raw(count * bytes);
  std::uint8_t* out = picture.pixels.data();
  for (std::size_t i = 0; i < count; ++i) {
    int value = 0;
    if (data == nullptr) {
      value = parser.number();
      if (value > header.max_value) source.fail("PNM", fmt::format("a value of {} above {}", value, header.max_value));
    } else {
      value = bytes == 1 ? data[i] : data[2 * i] << 8 | data[2 * i + 1];
      value = std::min(value, header.max_value);
    }
    put(out, header.channels(), table[static_cast<std::size_t>(value)]);
  }
}

}  // namespace

Decoded decode_pnm(const Source& source) {
  Parser parser(source);
  const Header header = parser.header();
  const std::size_t samples = static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height);
  parser.expect_at_least(header.kind == '4' ? samples / 8 : samples * static_cast<std::size_t>(header.channels()));
  Decoded decoded{make_picture(static_cast<int>(header.width), static_cast<int>(header.height))};
  if (header.bitmap()) {
    read_bitmap(parser, header, decoded.picture);
  } else {
    read_samples(source, parser, header, decoded.picture);
  }
  return decoded;
}

}  // namespace nunchi::image
