#include "data/cifar10.h"

#include <fmt/format.h>

#include <memory>

#include "core/file.h"
#include "core/label_tables.h"
#include "data/splits.h"

namespace nunchi::data {
namespace {

namespace fs = std::filesystem;

constexpr int side = 32;
constexpr std::size_t plane = side * side, record = 1 + 3 * plane;

std::string split_of(const fs::path& path) { return path.filename().string().starts_with("test") ? "test" : "train"; }

std::vector<fs::path> batches_in(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return {};
  return list_files(folder, {.accept = is_cifar10_batch, .recursive = false, .on_unreadable = {}});
}

// The names beside the data, if they are there.
std::vector<std::string> class_names(const fs::path& folder) {
  const auto path = folder / "batches.meta.txt";
  std::vector<std::string> names;
  if (fs::exists(path)) {
    const auto text = read_file(path, 1 << 20);
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find_first_of("\r\n", begin), text.size());
      if (end > begin) names.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  const auto& known = find_label_table("cifar10")->labels;
  return names.size() == known.size() ? names : known;
}

void add_batch(Dataset& dataset, const MappedFile& batch) {
  const auto name = batch.path().string();
  const auto bytes = batch.bytes();
  if (bytes.size() % record != 0) {
    throw Error(ErrorKind::input, fmt::format("{}: expected records of {} bytes (CIFAR-10, binary version), found {} "
                                              "bytes: the file is cut, or another dataset",
                                              name, record, bytes.size()));
  }
  for (std::size_t i = 0; i < bytes.size() / record; ++i) {
    const auto label = static_cast<std::int64_t>(bytes[i * record]);
    if (label >= static_cast<std::int64_t>(dataset.classes.size())) {
      throw Error(
          ErrorKind::input,
          fmt::format("{}: record {}: expected a label of 0 to 9, found {}: this is no CIFAR-10", name, i, label));
    }
    dataset.samples.push_back({fmt::format("{} #{}", batch.path().filename().string(), i), label});
  }
}

// [3, 32, 32] -> [32, 32, 3]
image::Picture picture_of(std::span<const std::byte> bytes) {
  auto picture = image::make_picture(side, side);
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < 3; ++c) picture.pixels[3 * i + c] = static_cast<std::uint8_t>(bytes[1 + c * plane + i]);
  return picture;
}

}  // namespace

bool is_cifar10_batch(const fs::path& path) {
  const auto name = path.filename().string();
  return name.ends_with(".bin") && (name.starts_with("data_batch") || name.starts_with("test_batch"));
}

fs::path cifar10_folder(const fs::path& path) {
  for (const auto& folder : {path, path / "cifar-10-batches-bin"})
    if (!batches_in(folder).empty()) return folder;
  std::error_code error;
  for (const auto& folder : {path, path / "cifar-10-batches-py"}) {
    if (!fs::is_regular_file(folder / "test_batch", error)) continue;
    throw Error(ErrorKind::input, fmt::format("{}: expected the binary version of CIFAR-10 (data_batch_1.bin ...), "
                                              "found the one for Python; fetch the binary one",
                                              folder.string()));
  }
  return {};
}

Dataset open_cifar10(const fs::path& path, const DatasetOptions& options) {
  const bool one_file = !fs::is_directory(path);
  const auto files = one_file ? std::vector{path} : batches_in(path);
  Dataset dataset{.layout = "CIFAR-10", .classes = class_names(one_file ? path.parent_path() : path)};
  for (const auto& file : files) {
    const auto split = split_of(file);
    if (dataset.splits.empty() || dataset.splits.back() != split) dataset.splits.push_back(split);
  }
  dataset.split = choose_split(dataset.splits, options.split, path.string());

  std::vector<std::pair<std::size_t, MappedFile>> batches;  // the first sample of each
  for (const auto& file : files) {
    if (split_of(file) != dataset.split) continue;
    batches.emplace_back(dataset.samples.size(), MappedFile::open(file, {.error_kind = ErrorKind::input}));
    add_batch(dataset, batches.back().second);
  }
  const auto shared = std::make_shared<const decltype(batches)>(std::move(batches));
  dataset.picture = [shared](std::size_t index, const image::DecodeOptions&) {
    auto batch = shared->end();
    do --batch;
    while (batch->first > index);
    auto picture = picture_of(batch->second.bytes().subspan((index - batch->first) * record, record));
    batch->second.check();
    return picture;
  };
  return dataset;
}

}  // namespace nunchi::data
