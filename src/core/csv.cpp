#include "core/csv.h"

#include <fmt/format.h>

#include "core/error.h"

namespace nunchi {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, char separator, const std::string& name)
      : text_(text), separator_(separator), name_(name) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (position_ < text_.size()) {
      CsvRow row{line_, {}};
      while (field(row.fields)) {
      }
      if (row.fields.size() > 1 || !row.fields.front().empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  // One field and what ends it; false at the end of the row.
  bool field(std::vector<std::string>& fields) {
    std::string value = position_ < text_.size() && text_[position_] == '"' ? quoted() : "";
    const auto end = std::min(text_.find_first_of(std::string{separator_, '\n'}, position_), text_.size());
    value += text_.substr(position_, end - position_);
    position_ = end + 1;
    const bool more = end < text_.size() && text_[end] == separator_;
    if (!more && value.ends_with('\r')) value.pop_back();
    if (!more) ++line_;
    fields.push_back(std::move(value));
    return more;
  }

  // The inside of quotes, in which two stand for one.
  std::string quoted() {
    const auto begin_line = line_;
    std::string value;
    for (++position_; position_ < text_.size(); ++position_) {
      const char c = text_[position_];
      if (c == '"' && !(position_ + 1 < text_.size() && text_[position_ + 1] == '"')) {
        ++position_;
        return value;
      }
      if (c == '"') ++position_;
      if (c == '\n') ++line_;
      value += c;
    }
    throw Error(ErrorKind::input, fmt::format("{}: line {}: a quote is opened and not closed", name_, begin_line));
  }

  std::string_view text_;
  const char separator_;
  const std::string& name_;
  std::size_t position_ = 0, line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, char separator, const std::string& name) {
  return CsvReader(text, separator, name).rows();
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace nunchi
