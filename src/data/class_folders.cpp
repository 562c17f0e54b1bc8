#include "data/class_folders.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/file.h"
#include "core/log.h"
#include "data/splits.h"
#include "formats/zip.h"

namespace nunchi::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_picture_bytes = std::uint64_t{1} << 30;  // of one packed picture

// Not the data: what version control and Apple's archiver leave.
bool is_hidden(std::string_view name) { return name.starts_with('.') || name == "__MACOSX"; }

std::vector<std::string> subfolders(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) throw Error(ErrorKind::input, fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  for (const auto& entry : entries) {
    const auto name = entry.path().filename().string();
    if (entry.is_directory(error) && !is_hidden(name)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

bool are_splits(const std::vector<std::string>& folders) {
  return !folders.empty() && std::ranges::all_of(folders, is_split_name);
}

[[noreturn]] void fail_without_classes(const std::string& where) {
  throw Error(
      ErrorKind::input,
      fmt::format("{}: expected a dataset: one folder of pictures per class (in train and test, or not), "
                  "CIFAR-10's .bin or MNIST's idx files, a .zip of class folders, or a list (.csv, .tsv, .txt); "
                  "found none of these",
                  where));
}

void check_samples(const Dataset& dataset, const std::string& where) {
  if (dataset.samples.empty()) {
    throw Error(ErrorKind::input, fmt::format("{}: expected pictures in its folders {}, found none", where,
                                              dataset.classes.empty() ? "" : dataset.classes.front() + " ..."));
  }
  std::vector<std::int64_t> counts(dataset.classes.size());
  for (const auto& sample : dataset.samples) ++counts[static_cast<std::size_t>(sample.label)];
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] == 0) log(LogLevel::warning, fmt::format("{}: no pictures of class {}", where, dataset.classes[i]));
}

// The path's first component, and the rest behind the slash.
std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
  const auto slash = path.find('/');
  return {path.substr(0, slash), slash == path.npos ? std::string_view() : path.substr(slash + 1)};
}

std::vector<std::string> first_components(const std::vector<std::string>& paths) {
  std::set<std::string> names;
  for (const auto& path : paths) names.emplace(split_first(path).first);
  return {names.begin(), names.end()};
}

// The length of "outer/inner/" that all paths begin with while at least a class folder follows.
std::size_t common_prefix(const std::vector<std::string>& paths) {
  std::size_t length = 0;
  for (;;) {
    const auto folder = split_first(std::string_view(paths.front()).substr(length)).first;
    const auto prefix = paths.front().substr(0, length + folder.size() + 1);
    const bool shared = !is_split_name(folder) && std::ranges::all_of(paths, [&](const std::string& path) {
      return path.starts_with(prefix) && path.find('/', prefix.size()) != path.npos;
    });
    if (!shared) return length;
    length = prefix.size();
  }
}

std::vector<std::string> picture_names(const formats::ZipFile& archive) {
  std::vector<std::string> names;
  for (const auto& entry : archive.entries()) {
    bool hidden = false;
    for (std::string_view rest = entry.name, part; !rest.empty();) {
      std::tie(part, rest) = split_first(rest);
      hidden = hidden || is_hidden(part);
    }
    if (!hidden && !entry.is_folder() && image::looks_like_picture(entry.name)) names.push_back(entry.name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

Dataset open_class_folders(const fs::path& folder, const DatasetOptions& options) {
  Dataset dataset{.layout = "class folders"};
  fs::path root = folder;
  auto names = subfolders(folder);
  if (names.empty()) fail_without_classes(folder.string());
  if (are_splits(names)) dataset.splits = names;
  if (!dataset.splits.empty() || !options.split.empty()) {
    dataset.split = choose_split(dataset.splits, options.split, folder.string());
    root = folder / dataset.split;
    names = subfolders(root);
    if (names.empty()) fail_without_classes(root.string());
  }
  dataset.classes = names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto files =
        list_files(root / names[i], {.accept = image::looks_like_picture, .recursive = true, .on_unreadable = {}});
    for (const auto& file : files) dataset.samples.push_back({file.string(), static_cast<std::int64_t>(i)});
  }
  check_samples(dataset, root.string());
  std::vector<std::string> paths;
  for (const auto& sample : dataset.samples) paths.push_back(sample.name);
  dataset.picture = [paths = std::move(paths)](std::size_t index, const image::DecodeOptions& decode) {
    return image::read_picture(paths[index], decode);
  };
  return dataset;
}

Dataset open_class_zip(const fs::path& path, const DatasetOptions& options) {
  const auto archive =
      std::make_shared<const formats::ZipFile>(formats::ZipFile::open(path, {.error_kind = ErrorKind::input}));
  auto names = picture_names(*archive);
  if (names.empty()) fail_without_classes(path.string());
  auto prefix = names.front().substr(0, common_prefix(names));
  const auto keep_below = [&](const std::string& start) {
    std::erase_if(names, [&](const std::string& name) { return !name.starts_with(start); });
    for (auto& name : names) name.erase(0, start.size());
  };
  keep_below(prefix);

  Dataset dataset{.layout = "zip of class folders"};
  if (const auto folders = first_components(names); are_splits(folders)) dataset.splits = folders;
  if (!dataset.splits.empty() || !options.split.empty()) {
    dataset.split = choose_split(dataset.splits, options.split, path.string());
    keep_below(dataset.split + "/");
    prefix += dataset.split + "/";
  }
  std::erase_if(names, [](const std::string& name) { return name.find('/') == name.npos; });  // pictures of no class
  dataset.classes = first_components(names);
  std::vector<const formats::ZipEntry*> entries;
  for (const auto& name : names) {
    const auto found = std::ranges::lower_bound(dataset.classes, split_first(name).first);
    dataset.samples.push_back({fmt::format("{}/{}{}", path.string(), prefix, name), found - dataset.classes.begin()});
    entries.push_back(archive->find(prefix + name));
  }
  if (dataset.samples.empty()) fail_without_classes(path.string());
  dataset.picture = [archive, entries, path](std::size_t index, const image::DecodeOptions& decode) {
    const auto content = archive->read(*entries[index], most_picture_bytes);
    return image::decode(content.bytes, fmt::format("{}/{}", path.string(), entries[index]->name), decode);
  };
  return dataset;
}

}  // namespace nunchi::data
