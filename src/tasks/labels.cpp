#include "tasks/labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "core/csv.h"
#include "core/file.h"
#include "core/label_tables.h"
#include "core/log.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 26;

std::optional<std::size_t> index_from(std::string_view text) {
  std::size_t index = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, index);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return index;
}

void take_id2label(std::vector<std::string>& labels, const Json& config) {
  const auto found = config.find("id2label");
  if (found == config.end() || !found->is_object()) return;
  for (const auto& [id, label] : found->items()) {
    const auto index = index_from(id);
    if (index && *index < labels.size() && label.is_string()) labels[*index] = label.get<std::string>();
  }
}

// timm's: names are often synsets, which the descriptions put into words.
void take_label_names(std::vector<std::string>& labels, const Json& config) {
  const auto names = config.find("label_names");
  if (names == config.end() || !names->is_array() || names->size() != labels.size()) return;
  const auto descriptions = config.find("label_descriptions");
  const bool described = descriptions != config.end() && descriptions->is_object();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!(*names)[i].is_string()) continue;
    labels[i] = (*names)[i].get<std::string>();
    if (!described) continue;
    const auto words = descriptions->find(labels[i]);
    if (words != descriptions->end() && words->is_string()) labels[i] = words->get<std::string>();
  }
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  const auto text = read_file(path, most_bytes, ErrorKind::usage);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    begin = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// Labels with their ids, in any order, each id once.
class NumberedLabels {
 public:
  explicit NumberedLabels(const fs::path& path) : path_(path) {}

  void add(std::string_view id, const std::string& label) {
    const auto index = index_from(id);
    if (!index || *index >= most_bytes) fail(fmt::format("the id \"{}\"", id));
    if (*index >= labels_.size()) labels_.resize(*index + 1);
    if (labels_[*index]) fail(fmt::format("the id {} twice", *index));
    labels_[*index] = label;
  }

  std::vector<std::string> take() {
    std::vector<std::string> all;
    for (const auto& label : labels_) {
      if (!label) fail(fmt::format("no id {}", all.size()));
      all.push_back(*label);
    }
    return all;
  }

 private:
  [[noreturn]] void fail(const std::string& found) const {
    throw Error(ErrorKind::usage,
                fmt::format("{}: expected labels with ids that count from 0, found {}", path_.string(), found));
  }

  const fs::path& path_;
  std::vector<std::optional<std::string>> labels_;
};

std::vector<std::string> from_csv(const fs::path& path) {
  const char separator = path.extension() == ".tsv" ? '\t' : ',';
  const auto rows = parse_csv(read_file(path, most_bytes, ErrorKind::usage), separator, path.string());
  NumberedLabels labels(path);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& fields = rows[i].fields;
    if (fields.size() < 2)
      throw Error(ErrorKind::usage,
                  fmt::format("{}: line {}: expected an id and a label", path.string(), rows[i].line));
    if (i > 0 || index_from(fields[0])) labels.add(fields[0], fields[1]);  // the first may be a header
  }
  return labels.take();
}

std::vector<std::string> from_json(const fs::path& path) {
  const auto json = parse_json(read_file(path, most_bytes, ErrorKind::usage), path.string());
  const auto text = [&](const Json& label) {
    if (label.is_string()) return label.get<std::string>();
    throw Error(ErrorKind::usage, fmt::format("{}: expected a label, found {}", path.string(), label.dump()));
  };
  std::vector<std::string> labels;
  if (json.is_array()) {
    for (const auto& label : json) labels.push_back(text(label));
    return labels;
  }
  const auto& object = json.is_object() && json.contains("id2label") ? json["id2label"] : json;
  if (!object.is_object())
    throw Error(ErrorKind::usage, fmt::format("{}: expected a list of labels or an id2label", path.string()));
  NumberedLabels numbered(path);
  for (const auto& [id, label] : object.items()) numbered.add(id, text(label));
  return numbered.take();
}

std::vector<std::string> from_file(const std::string& source) {
  const fs::path path = source;
  if (!fs::exists(path)) {
    std::vector<std::string> names;
    for (const auto& table : label_tables()) names.push_back(table.name);
    throw Error(ErrorKind::usage, fmt::format("--labels {}: expected a file of labels or one of {}, found neither",
                                              source, fmt::join(names, ", ")));
  }
  if (path.extension() == ".json") return from_json(path);
  if (path.extension() == ".csv" || path.extension() == ".tsv") return from_csv(path);
  return lines_of(path);
}

}  // namespace

std::vector<std::string> unnamed_labels(std::int64_t classes) {
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < classes; ++i) labels.push_back(fmt::format("LABEL_{}", i));
  return labels;
}

bool are_unnamed(const std::vector<std::string>& labels) {
  return labels == unnamed_labels(static_cast<std::int64_t>(labels.size()));
}

std::vector<std::string> labels_of(const Json& config, std::int64_t classes) {
  auto labels = unnamed_labels(classes);
  take_label_names(labels, config);
  take_id2label(labels, config);
  if (!are_unnamed(labels)) return labels;
  for (const auto* name : {"imagenet", "imagenet-background"}) {
    const auto* table = find_label_table(name);
    if (std::cmp_not_equal(table->labels.size(), classes)) continue;
    log(LogLevel::info, fmt::format("the checkpoint names none of its {} classes: taken for those of ImageNet "
                                    "(--labels says otherwise)",
                                    classes));
    return table->labels;
  }
  return labels;
}

std::vector<std::string> read_labels(const std::string& source, std::int64_t classes) {
  const auto* table = find_label_table(source);
  auto labels = table != nullptr ? table->labels : from_file(source);
  if (std::cmp_equal(labels.size(), classes)) return labels;
  std::string hint;
  for (const auto& other : label_tables())
    if (table != nullptr && other.name.starts_with(source) && std::cmp_equal(other.labels.size(), classes))
      hint = fmt::format("; --labels {} has as many", other.name);
  throw Error(ErrorKind::usage,
              fmt::format("--labels {}: expected {} labels, as many as the model has classes, found {}{}", source,
                          classes, labels.size(), hint));
}

}  // namespace nunchi::tasks
