#include "formats/safetensors_header.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "core/error.h"
#include "formats/quote_name.h"

namespace nunchi::formats {
namespace {

constexpr std::string_view metadata_key = "__metadata__";

enum class Place { outside, root, metadata, entry, numbers };
enum class Field { dtype, shape, data_offsets, unknown };

Field field_of(std::string_view key) {
  if (key == "dtype") return Field::dtype;
  if (key == "shape") return Field::shape;
  if (key == "data_offsets") return Field::data_offsets;
  return Field::unknown;
}

class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}
  HeaderText take() { return std::move(header_); }

  bool null() override {
    // The reference library reads "__metadata__": null as if it were absent.
    return value("null", place_ == Place::root && key_ == metadata_key);
  }
  bool boolean(bool) override { return value("a boolean"); }
  bool number_integer(std::int64_t number) override { return value(std::to_string(number)); }
  bool number_float(double, const std::string& text) override { return value(text); }
  bool binary(nlohmann::json::binary_t&) override { return value("binary data"); }
  bool number_unsigned(std::uint64_t number) override;
  bool string(std::string& text) override;
  bool start_object(std::size_t) override;
  bool key(std::string& name) override;
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override;
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override;

 private:
  [[noreturn]] void fail(const std::string& found) const;
  bool value(const std::string& found, bool accepted = false) const;
  bool skipping() const { return depth_skipped_ > 0 || (place_ == Place::entry && field_ == Field::unknown); }
  bool leave();
  void begin_entry();
  void begin_field();
  std::vector<std::uint64_t>& numbers();

  const std::string& file_;
  HeaderText header_;
  std::unordered_set<std::string> names_;
  Place place_ = Place::outside;
  Field field_ = Field::unknown;
  std::string key_;
  std::size_t depth_skipped_ = 0;  // open brackets inside the value of an unknown field
  bool seen_metadata_ = false;
};

void HeaderReader::fail(const std::string& found) const {
  if (place_ == Place::outside) {
    throw Error(ErrorKind::model, fmt::format("{}: header: expected an object, found {}", file_, found));
  }
  if (place_ == Place::root) {
    throw Error(ErrorKind::model,
                fmt::format("{}: header: {}: expected an object, found {}", file_, quote_name(key_), found));
  }
  if (place_ == Place::metadata) {
    throw Error(ErrorKind::model, fmt::format("{}: header: {}: {}: expected a string, found {}", file_, metadata_key,
                                              quote_name(key_), found));
  }
  constexpr std::array expected{"dtype: expected a string", "shape: expected a list of sizes",
                                "data_offsets: expected a list of two offsets", "expected a field"};
  throw Error(ErrorKind::model,
              fmt::format("{}: tensor {}: {}, found {}", file_, quote_name(header_.entries.back().name),
                          expected[static_cast<std::size_t>(field_)], found));
}

bool HeaderReader::value(const std::string& found, bool accepted) const {
  if (!accepted && !skipping()) fail(found);
  return true;
}

std::vector<std::uint64_t>& HeaderReader::numbers() {
  HeaderEntry& entry = header_.entries.back();
  return field_ == Field::shape ? *entry.shape : *entry.data_offsets;
}

bool HeaderReader::number_unsigned(std::uint64_t number) {
  if (place_ != Place::numbers) return value(std::to_string(number));
  numbers().push_back(number);
  return true;
}

bool HeaderReader::string(std::string& text) {
  if (place_ == Place::metadata) {
    header_.metadata[key_] = std::move(text);
  } else if (place_ == Place::entry && field_ == Field::dtype) {
    header_.entries.back().dtype = std::move(text);
  } else {
    value(fmt::format("the text {}", quote_name(text)));
  }
  return true;
}

bool HeaderReader::start_object(std::size_t) {
  if (skipping()) {
    ++depth_skipped_;
  } else if (place_ == Place::outside) {
    place_ = Place::root;
  } else if (place_ == Place::root && key_ == metadata_key) {
    place_ = Place::metadata;
  } else if (place_ == Place::root) {
    place_ = Place::entry;
  } else {
    fail("an object");
  }
  return true;
}

bool HeaderReader::start_array(std::size_t) {
  if (skipping()) {
    ++depth_skipped_;
    return true;
  }
  if (place_ != Place::entry || field_ == Field::dtype) fail("a list");
  HeaderEntry& entry = header_.entries.back();
  (field_ == Field::shape ? entry.shape : entry.data_offsets).emplace();
  place_ = Place::numbers;
  return true;
}

bool HeaderReader::leave() {
  if (depth_skipped_ > 0) {
    --depth_skipped_;
  } else if (place_ == Place::numbers) {
    place_ = Place::entry;
  } else {
    place_ = place_ == Place::root ? Place::outside : Place::root;
  }
  return true;
}

void HeaderReader::begin_entry() {
  if (key_ == metadata_key) {
    if (std::exchange(seen_metadata_, true)) {
      throw Error(ErrorKind::model, fmt::format("{}: header: {} is there twice", file_, metadata_key));
    }
    return;
  }
  if (!names_.insert(key_).second) {
    throw Error(ErrorKind::model,
                fmt::format("{}: tensor {}: expected each name once, found it twice", file_, quote_name(key_)));
  }
  header_.entries.push_back({.name = key_, .dtype = {}, .shape = {}, .data_offsets = {}});
  field_ = Field::dtype;
}

void HeaderReader::begin_field() {
  field_ = field_of(key_);
  const HeaderEntry& entry = header_.entries.back();
  const bool twice = (field_ == Field::dtype && entry.dtype) || (field_ == Field::shape && entry.shape) ||
                     (field_ == Field::data_offsets && entry.data_offsets);
  if (twice) {
    throw Error(ErrorKind::model,
                fmt::format("{}: tensor {}: expected one {}, found it twice", file_, quote_name(entry.name), key_));
  }
}

bool HeaderReader::key(std::string& name) {
  if (depth_skipped_ > 0) return true;
  key_ = std::move(name);
  if (place_ == Place::root) begin_entry();
  if (place_ == Place::entry) begin_field();
  if (place_ == Place::metadata && header_.metadata.count(key_) > 0) {
    throw Error(ErrorKind::model,
                fmt::format("{}: header: {}: {} is there twice", file_, metadata_key, quote_name(key_)));
  }
  return true;
}

bool HeaderReader::parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
  throw Error(ErrorKind::model,
              fmt::format("{}: header: expected JSON in UTF-8, found something else at byte {} of it; "
                          "the file is damaged or no safetensors file",
                          file_, position));
}

}  // namespace

HeaderText read_header_text(std::string_view text, const std::string& file) {
  // nlohmann's lexer takes a zero byte for the end of the text.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    throw Error(ErrorKind::model, fmt::format("{}: header: expected JSON, found a zero byte at {} of it", file, zero));
  }
  HeaderReader reader(file);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace nunchi::formats
