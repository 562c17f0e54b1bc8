#include "data/dataset.h"

#include <fmt/format.h>

#include "core/error.h"
#include "data/cifar10.h"
#include "data/class_folders.h"
#include "data/list_file.h"
#include "data/mnist.h"

namespace nunchi::data {
namespace {

namespace fs = std::filesystem;

Dataset open_folder(const fs::path& path, const DatasetOptions& options) {
  if (const auto folder = cifar10_folder(path); !folder.empty()) return open_cifar10(folder, options);
  if (const auto folder = idx_folder(path); !folder.empty()) return open_mnist(folder, options);
  return open_class_folders(path, options);
}

Dataset open_file(const fs::path& path, const DatasetOptions& options) {
  if (is_cifar10_batch(path)) return open_cifar10(path, options);
  if (is_idx_pictures(path)) return open_mnist(path, options);
  if (path.extension() == ".zip") return open_class_zip(path, options);
  if (is_list_file(path)) return open_list_file(path, options);
  throw Error(ErrorKind::input,
              fmt::format("{}: expected a dataset, found a file that is none: nunchi reads class folders, a .zip of "
                          "them, CIFAR-10's .bin files, MNIST's idx files, and lists (.csv, .tsv, .txt)",
                          path.string()));
}

}  // namespace

Dataset open_dataset(const fs::path& path, const DatasetOptions& options) {
  std::error_code error;
  if (fs::is_directory(path, error)) return open_folder(path, options);
  if (fs::exists(path, error)) return open_file(path, options);
  throw Error(ErrorKind::input, fmt::format("{}: expected a dataset, found no such file or folder", path.string()));
}

}  // namespace nunchi::data
