#include "tasks/class_mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/csv.h"
#include "core/file.h"
#include "core/json.h"
#include "core/label_tables.h"
#include "tasks/labels.h"

namespace nunchi::tasks {
namespace {

using Ids = std::set<std::int64_t>;
using Names = std::vector<std::string>;

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
}

// Lower case, single spaces for every kind of separator: "Egyptian_cat" -> "egyptian cat".
std::string normalised(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool separates = c == ' ' || c == '_' || c == '-' || c == '\t';
    if (!separates)
      result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  while (result.ends_with(' ')) result.pop_back();
  return result;
}

// "tabby, tabby cat" -> {"tabby", "tabby cat"}
Names words_of(const std::string& label) {
  Names words;
  for (std::size_t begin = 0; begin <= label.size();) {
    const auto end = std::min(label.find(',', begin), label.size());
    const auto first = label.find_first_not_of(' ', begin);
    if (first < end) words.push_back(label.substr(first, label.find_last_not_of(' ', end - 1) - first + 1));
    begin = end + 1;
  }
  return words;
}

// "n02123045" at the start of a name, and what follows it; nothing where there is none.
std::string_view synset_of(std::string_view name) {
  constexpr std::size_t length = 9;
  if (name.size() < length || name[0] != 'n' ||
      !std::ranges::all_of(name.substr(1, 8), [](char c) { return c >= '0' && c <= '9'; }))
    return {};
  if (name.size() > length && std::string_view(" _-.").find(name[length]) == std::string_view::npos) return {};
  return name.substr(0, length);
}

// Where ImageNet's classes begin among the labels: 0, or 1 behind a background class.
std::optional<std::size_t> imagenet_offset(const Names& labels) {
  const auto& imagenet = *find_label_table("imagenet");
  if (labels.size() != 1000 && labels.size() != 1001) return std::nullopt;
  const std::size_t offset = labels.size() - 1000;
  std::size_t same = 0;
  for (std::size_t i = 0; i < 1000; ++i) same += same_label(labels[i + offset], imagenet.labels[i]) ? 1 : 0;
  return same >= 900 ? std::optional(offset) : std::nullopt;
}

class LabelIndex {
 public:
  explicit LabelIndex(const Names& labels) : labels_(labels), imagenet_(imagenet_offset(labels)) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto id = static_cast<std::int64_t>(i);
      std::string label = labels[i];
      exact_[label].insert(id);
      if (const auto synset = synset_of(label); !synset.empty()) {
        synsets_[std::string(synset)].insert(id);
        label.erase(0, std::min(label.size(), synset.size() + 1));
      }
      normalised_[normalised(label)].insert(id);
      for (const auto& word : words_of(label)) {
        words_[word].insert(id);
        normalised_words_[normalised(word)].insert(id);
      }
    }
  }

  const Names& labels() const { return labels_; }
  std::optional<std::size_t> imagenet() const { return imagenet_; }

  // What the name may mean by the first rule that finds anything.
  Ids find(const std::string& name) const {
    for (const auto& found : {at(exact_, name), by_synset(name), at(words_, name), at(normalised_, normalised(name)),
                              at(normalised_words_, normalised(name)), by_words(name)})
      if (!found.empty()) return found;
    return {};
  }

  const Ids& exactly(const std::string& name) const { return at(exact_, name); }

  // Labels that hold the name as a word, for the message.
  Names alike(const std::string& name) const {
    Names found;
    const auto wanted = fmt::format(" {} ", normalised(name));
    for (const auto& label : labels_) {
      auto text = fmt::format(" {} ", normalised(label));
      std::ranges::replace(text, ',', ' ');
      if (text.find(wanted) != text.npos && found.size() < 3) found.push_back(label);
    }
    return found;
  }

 private:
  using Table = std::map<std::string, Ids>;

  static const Ids& at(const Table& table, const std::string& key) {
    static const Ids none;
    const auto found = table.find(key);
    return found == table.end() ? none : found->second;
  }

  Ids by_synset(const std::string& name) const {
    const std::string synset(synset_of(name));
    if (synset.empty()) return {};
    if (const auto& found = at(synsets_, synset); !found.empty()) return found;
    const auto& imagenet = *find_label_table("imagenet");
    const auto index = index_of_id(imagenet, synset);
    if (!index) return {};
    if (imagenet_) return {static_cast<std::int64_t>(*index + *imagenet_)};
    return find(imagenet.labels[*index]);
  }

  Ids by_words(const std::string& name) const {
    const auto words = words_of(name);
    Ids found;
    if (words.size() > 1)
      for (const auto& word : words) found.merge(Ids(at(normalised_words_, normalised(word))));
    return found;
  }

  const Names& labels_;
  std::optional<std::size_t> imagenet_;
  Table exact_, synsets_, words_, normalised_, normalised_words_;
};

// What the user's file says: a class of the dataset, and names of the model's.
using GivenMapping = std::map<std::string, Names>;

GivenMapping read_json_mapping(const std::filesystem::path& path) {
  const auto json = parse_json(read_file(path, 1 << 26, ErrorKind::usage), path.string());
  const auto fail = [&](const Json& found) {
    return Error(ErrorKind::usage, fmt::format("{}: expected an object of classes and their labels, found {}",
                                               path.string(), found.dump()));
  };
  const auto name_of = [&](const Json& value) {
    if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
    if (value.is_string()) return value.get<std::string>();
    throw fail(value);
  };
  if (!json.is_object()) throw fail(json);
  GivenMapping given;
  for (const auto& [key, value] : json.items()) {
    auto& names = given[key];
    if (value.is_array())
      for (const auto& one : value) names.push_back(name_of(one));
    else if (!value.is_null())
      names.push_back(name_of(value));
  }
  return given;
}

GivenMapping read_mapping(const std::filesystem::path& path) {
  if (path.extension() == ".json") return read_json_mapping(path);
  const char separator = path.extension() == ".tsv" ? '\t' : ',';
  GivenMapping given;
  for (const auto& row : parse_csv(read_file(path, 1 << 26, ErrorKind::usage), separator, path.string())) {
    auto& names = given[row.fields[0]];
    for (std::size_t i = 1; i < row.fields.size(); ++i)
      if (!row.fields[i].empty()) names.push_back(row.fields[i]);
  }
  return given;
}

class Mapper {
 public:
  Mapper(const Names& labels, const Names& classes) : index_(labels), classes_(classes) {
    mapping_.classes.resize(classes.size());
  }

  ClassMapping map(const GivenMapping& given) {
    if (given.empty() && map_unnamed()) return mapping_;
    const bool numbers =
        given.empty() && std::ranges::all_of(classes_, is_number) &&
        !std::ranges::all_of(classes_, [&](const auto& name) { return index_.exactly(name).size() == 1; });
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      const auto found = given.find(classes_[i]);
      if (found != given.end())
        map_given(i, found->second);
      else if (numbers)
        map_number(i);
      else
        map_name(i, classes_[i]);
    }
    if (numbers && index_.imagenet() == 1)
      mapping_.remarks.push_back(
          "the model has a background class before ImageNet's; the folders' numbers are taken "
          "for ImageNet's own (0 is tench)");
    check_taken_once();
    if (!problems_.empty()) fail();
    return mapping_;
  }

 private:
  bool map_unnamed() {
    if (!are_unnamed(index_.labels()) || classes_.size() != index_.labels().size() ||
        std::ranges::all_of(classes_, is_number))
      return false;
    for (std::size_t i = 0; i < classes_.size(); ++i) mapping_.classes[i] = {static_cast<std::int64_t>(i)};
    mapping_.remarks.push_back("the model does not name its classes; the dataset's are taken in order");
    return true;
  }

  void map_number(std::size_t i) { add_index(i, classes_[i], index_.imagenet().value_or(0)); }

  void add_index(std::size_t i, const std::string& number, std::size_t offset) {
    const auto index = static_cast<std::size_t>(std::stoi(number)) + offset;
    if (index < index_.labels().size())
      mapping_.classes[i].push_back(static_cast<std::int64_t>(index));
    else
      problems_.push_back(
          fmt::format("\"{}\": the model has {} classes, counted from 0", number, index_.labels().size()));
  }

  void map_given(std::size_t i, const Names& names) {
    if (names.empty()) mapping_.remarks.push_back(fmt::format("class \"{}\" is left out", classes_[i]));
    for (const auto& name : names) {
      if (is_number(name) && index_.exactly(name).empty())
        add_index(i, name, 0);
      else
        map_name(i, name);
    }
  }

  void map_name(std::size_t i, const std::string& name) {
    const auto found = index_.find(name);
    if (found.size() == 1) return mapping_.classes[i].push_back(*found.begin());
    if (found.empty()) {
      const auto alike = index_.alike(name);
      problems_.push_back(
          fmt::format("\"{}\": no class of the model has this name{}", name,
                      alike.empty() ? "" : fmt::format(" (perhaps \"{}\")", fmt::join(alike, "\", \""))));
      return;
    }
    Names candidates;
    for (const auto id : found)
      candidates.push_back(fmt::format("{} \"{}\"", id, index_.labels()[static_cast<std::size_t>(id)]));
    problems_.push_back(fmt::format("\"{}\": several classes have this name: {}", name, fmt::join(candidates, ", ")));
  }

  void check_taken_once() {
    std::map<std::int64_t, std::size_t> owners;
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      for (const auto id : mapping_.classes[i]) {
        const auto [owner, first] = owners.emplace(id, i);
        if (first) continue;
        problems_.push_back(fmt::format("\"{}\" and \"{}\" are both the model's {} \"{}\"", classes_[owner->second],
                                        classes_[i], id, index_.labels()[static_cast<std::size_t>(id)]));
      }
    }
  }

  [[noreturn]] void fail() const {
    constexpr std::size_t most = 10;
    std::string text =
        fmt::format("{} of the dataset's {} classes could not be matched with the model's {}:", problems_.size(),
                    classes_.size(), index_.labels().size());
    for (std::size_t i = 0; i < std::min(most, problems_.size()); ++i) text += "\n  " + problems_[i];
    if (problems_.size() > most) text += fmt::format("\n  and {} more", problems_.size() - most);
    throw Error(ErrorKind::usage, text +
                                      "\nName them with --map FILE.csv: a line for each, CLASS,LABEL (a label, an "
                                      "index or a synset; nothing after the comma leaves the class out). `nunchi "
                                      "eval --help` says how names are matched.");
  }

  const LabelIndex index_;
  const Names& classes_;
  ClassMapping mapping_;
  Names problems_;
};

}  // namespace

bool same_label(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto first = [](const std::string& label) {
    return normalised(std::string_view(label).substr(0, label.find(',')));
  };
  return normalised(a) == normalised(b) || first(a) == first(b);
}

ClassMapping map_classes(const Names& labels, const Names& dataset_classes,
                         const std::optional<std::filesystem::path>& file) {
  return Mapper(labels, dataset_classes).map(file ? read_mapping(*file) : GivenMapping());
}

}  // namespace nunchi::tasks
