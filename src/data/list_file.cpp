#include "data/list_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/csv.h"
#include "core/file.h"
#include "data/splits.h"

namespace nunchi::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 28;
constexpr std::string_view space = " \t\r";

const std::set<std::string> path_words = {"path",     "file",  "filename",   "file_name",
                                          "filepath", "image", "image_path", "img"};
const std::set<std::string> label_words = {"label", "class", "class_name", "classname", "category", "target", "y"};
const std::set<std::string> split_words = {"split", "set", "subset"};

struct Columns {
  std::size_t path = 0, label = 1;
  std::optional<std::size_t> split;
};

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(space);
  return begin == text.npos ? "" : std::string(text.substr(begin, text.find_last_not_of(space) - begin + 1));
}

std::optional<std::size_t> column_of(const CsvRow& header, const std::set<std::string>& words) {
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    auto field = trimmed(header.fields[i]);
    std::ranges::transform(field, field.begin(), [](unsigned char c) { return std::tolower(c); });
    if (words.contains(field)) return i;
  }
  return std::nullopt;
}

// Nothing where the first row is data.
std::optional<Columns> read_header(const CsvRow& row) {
  const auto path = column_of(row, path_words), label = column_of(row, label_words);
  if (!path || !label) return std::nullopt;
  return Columns{*path, *label, column_of(row, split_words)};
}

// "path label": the last word of each line is the label.
std::vector<CsvRow> rows_of_words(std::string_view text) {
  std::vector<CsvRow> rows;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = trimmed(text.substr(begin, end - begin));
    const auto gap = line.find_last_of(space);
    begin = end + 1, ++number;
    if (line.empty()) continue;
    rows.push_back({number, {trimmed(line.substr(0, gap))}});
    if (gap != line.npos) rows.back().fields.push_back(line.substr(gap + 1));
  }
  return rows;
}

std::vector<CsvRow> read_rows(const fs::path& path) {
  const auto text = read_file(path, most_bytes);
  const std::string_view first = std::string_view(text).substr(0, text.find('\n'));
  const bool tabs = path.extension() == ".tsv" || first.find('\t') != first.npos;
  const bool commas = path.extension() == ".csv" || first.find(',') != first.npos;
  if (tabs || commas) return parse_csv(text, tabs ? '\t' : ',', path.string());
  return rows_of_words(text);
}

struct Row {
  std::string path, label, split;
};

Row read_row(const CsvRow& row, const Columns& columns, const fs::path& list) {
  const auto needed = std::max({columns.path, columns.label, columns.split.value_or(0)}) + 1;
  if (row.fields.size() < needed) {
    throw Error(ErrorKind::input, fmt::format("{}: line {}: expected a path and a label ({} columns), found {}",
                                              list.string(), row.line, needed, row.fields.size()));
  }
  Row result{trimmed(row.fields[columns.path]), trimmed(row.fields[columns.label]),
             columns.split ? trimmed(row.fields[*columns.split]) : ""};
  if (!result.path.empty() && !result.label.empty()) return result;
  throw Error(ErrorKind::input,
              fmt::format("{}: line {}: expected a path and a label, found an empty one", list.string(), row.line));
}

std::vector<std::string> sorted_classes(const std::vector<Row>& rows) {
  std::set<std::string> unique;
  for (const auto& row : rows) unique.insert(row.label);
  std::vector<std::string> classes(unique.begin(), unique.end());
  const auto is_number = [](const std::string& text) {
    return text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
  };
  if (std::ranges::all_of(classes, is_number))
    std::ranges::stable_sort(classes, {}, [](const std::string& text) { return std::stoi(text); });
  return classes;
}

}  // namespace

bool is_list_file(const fs::path& path) {
  return path.extension() == ".csv" || path.extension() == ".tsv" || path.extension() == ".txt";
}

Dataset open_list_file(const fs::path& path, const DatasetOptions& options) {
  const auto table = read_rows(path);
  const auto header = table.empty() ? std::nullopt : read_header(table.front());
  std::vector<Row> rows;
  for (std::size_t i = header ? 1 : 0; i < table.size(); ++i)
    rows.push_back(read_row(table[i], header.value_or(Columns{}), path));
  if (rows.empty())
    throw Error(ErrorKind::input, fmt::format("{}: expected lines of a path and a label, found none", path.string()));

  Dataset dataset{.layout = "list", .classes = sorted_classes(rows)};
  if (header && header->split) {
    std::set<std::string> splits;
    for (const auto& row : rows) splits.insert(row.split);
    dataset.splits = {splits.begin(), splits.end()};
  }
  if (!dataset.splits.empty() || !options.split.empty())
    dataset.split = choose_split(dataset.splits, options.split, path.string());
  std::erase_if(rows, [&](const Row& row) { return row.split != dataset.split; });

  std::map<std::string, std::int64_t> ids;
  for (std::size_t i = 0; i < dataset.classes.size(); ++i) ids[dataset.classes[i]] = static_cast<std::int64_t>(i);
  std::vector<std::string> paths;
  for (const auto& row : rows) {
    paths.push_back((path.parent_path() / row.path).string());
    dataset.samples.push_back({paths.back(), ids.at(row.label)});
  }
  dataset.picture = [paths = std::move(paths)](std::size_t index, const image::DecodeOptions& decode) {
    return image::read_picture(paths[index], decode);
  };
  return dataset;
}

}  // namespace nunchi::data
