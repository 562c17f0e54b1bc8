// data/cifar10.h: the binary version of CIFAR-10 (Krizhevsky 2009): records of a label byte and 3 planes of 32 x 32.
#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace nunchi::data {

// Whether the file's name is that of such a file: "data_batch_3.bin", "test_batch.bin".
bool is_cifar10_batch(const std::filesystem::path& path);

// The folder, or "cifar-10-batches-bin" below it, which holds such files; empty where there is none. Throws Error
// (input) where it holds the Python version of the dataset.
std::filesystem::path cifar10_folder(const std::filesystem::path& path);

// A folder of cifar10_folder(), or one file.
Dataset open_cifar10(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace nunchi::data
