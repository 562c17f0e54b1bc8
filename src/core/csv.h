// core/csv.h: comma-separated values (RFC 4180), also with tabs.
//
//   for (const CsvRow& row : parse_csv(read_file(path, most), ',', path.string())) use(row.line, row.fields);
//   out += csv_field("a, b") + "," + csv_field(label) + "\n";
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nunchi {

struct CsvRow {
  std::size_t line = 1;  // in the file, where the row begins
  std::vector<std::string> fields;
};

// Rows without any character are left out; a byte order mark and carriage returns at the ends of lines are dropped.
// Throws Error (input) that begins with `name` where a quote is not closed.
std::vector<CsvRow> parse_csv(std::string_view text, char separator, const std::string& name);

// In quotes where it needs them.
std::string csv_field(std::string_view text);

}  // namespace nunchi
