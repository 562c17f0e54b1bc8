#include "data/mnist.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "core/file.h"
#include "core/label_tables.h"
#include "data/gzip.h"
#include "data/splits.h"

namespace nunchi::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;

// An IDX file of unsigned bytes, wholly in memory.
struct Idx {
  std::vector<std::size_t> sizes;
  std::string bytes;        // of the whole file
  std::size_t content = 0;  // where the numbers begin

  const std::uint8_t* data() const { return reinterpret_cast<const std::uint8_t*>(bytes.data()) + content; }
};

std::size_t big_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

std::string read_maybe_packed(const fs::path& path) {
  std::string bytes = read_file(path, most_bytes);
  const auto view = std::as_bytes(std::span(bytes));
  return is_gzip(view) ? gunzip(view, most_bytes, path.string()) : bytes;
}

// Zero bytes, type 8 (unsigned byte), the number of sizes, the sizes, the numbers.
Idx read_idx(const fs::path& path, std::size_t dimensions) {
  Idx idx{{}, read_maybe_packed(path), 4 + 4 * dimensions};
  const auto fail = [&](const std::string& found) {
    return Error(ErrorKind::input, fmt::format("{}: expected an IDX file of bytes with {} dimensions, found {}",
                                               path.string(), dimensions, found));
  };
  const std::string_view bytes = idx.bytes;
  if (bytes.size() < idx.content) throw fail(fmt::format("{} bytes", bytes.size()));
  const auto magic = big_endian(bytes.substr(0, 4));
  if (magic != (0x800 | dimensions)) throw fail(fmt::format("the first bytes {:08x}", magic));
  std::size_t total = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    idx.sizes.push_back(big_endian(bytes.substr(4 + 4 * i, 4)));
    if (idx.sizes[i] == 0 || total > most_bytes / idx.sizes[i]) throw fail("sizes that make no sense");
    total *= idx.sizes[i];
  }
  if (bytes.size() - idx.content != total)
    throw fail(fmt::format("{} bytes where its header promises {}", bytes.size() - idx.content, total));
  return idx;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// "train-images-idx3-ubyte.gz" -> "train-labels-idx1-ubyte", packed or not.
fs::path labels_of(const fs::path& pictures) {
  auto name = replaced(replaced(pictures.filename().string(), "images", "labels"), "idx3", "idx1");
  const auto plain = pictures.parent_path() / (name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name);
  const auto packed = fs::path(plain.string() + ".gz");
  for (const auto& path : {plain, packed})
    if (fs::exists(path)) return path;
  throw Error(ErrorKind::input, fmt::format("{}: expected its labels beside it in {} (or .gz), found no such file",
                                            pictures.string(), plain.string()));
}

// "train" of "train-images-idx3-ubyte.gz".
std::string split_of(const fs::path& path) {
  const auto name = path.filename().string();
  return name.substr(0, name.find("-images"));
}

std::vector<fs::path> picture_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return {};
  return list_files(folder, {.accept = is_idx_pictures, .recursive = false, .on_unreadable = {}});
}

fs::path choose_file(const fs::path& folder, const std::string& wanted) {
  const auto files = picture_files(folder);
  std::vector<std::string> splits;
  for (const auto& file : files) splits.push_back(split_of(file));
  const auto split = choose_split(splits, wanted, folder.string());
  return files[static_cast<std::size_t>(std::ranges::find(splits, split) - splits.begin())];
}

void check_counts(const Idx& pictures, const Idx& labels, const fs::path& path) {
  if (pictures.sizes[0] == labels.sizes[0]) return;
  throw Error(ErrorKind::input, fmt::format("{}: expected as many labels as pictures, found {} and {}", path.string(),
                                            labels.sizes[0], pictures.sizes[0]));
}

}  // namespace

bool is_idx_pictures(const fs::path& path) {
  const auto name = path.filename().string();
  return name.find("-images") != std::string::npos && name.find("idx3-ubyte") != std::string::npos;
}

fs::path idx_folder(const fs::path& path) {
  for (const auto* below : {"", "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw"}) {
    const auto folder = *below == '\0' ? path : path / below;
    if (!picture_files(folder).empty()) return folder;
  }
  return {};
}

Dataset open_mnist(const fs::path& path, const DatasetOptions& options) {
  const bool one_file = !fs::is_directory(path);
  const auto file = one_file ? path : choose_file(path, options.split);
  if (one_file && !options.split.empty()) choose_split({split_of(file)}, options.split, path.string());
  const auto pictures = std::make_shared<const Idx>(read_idx(file, 3));
  const auto labels = read_idx(labels_of(file), 1);
  check_counts(*pictures, labels, file);

  Dataset dataset{.layout = "MNIST", .split = split_of(file), .classes = find_label_table("mnist")->labels};
  for (const auto& other : one_file ? std::vector{file} : picture_files(path))
    dataset.splits.push_back(split_of(other));
  for (std::size_t i = 0; i < labels.sizes[0]; ++i) {
    const int label = labels.data()[i];
    while (std::cmp_less_equal(dataset.classes.size(), label))
      dataset.classes.push_back(std::to_string(dataset.classes.size()));
    dataset.samples.push_back({fmt::format("{} #{}", file.filename().string(), i), label});
  }
  dataset.picture = [pictures](std::size_t index, const image::DecodeOptions&) {
    const auto rows = pictures->sizes[1], columns = pictures->sizes[2];
    auto picture = image::make_picture(static_cast<int>(columns), static_cast<int>(rows), 1);
    const auto* first = pictures->data() + index * rows * columns;
    std::copy(first, first + rows * columns, picture.pixels.begin());
    return picture;
  };
  return dataset;
}

}  // namespace nunchi::data
