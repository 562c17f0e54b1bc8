// data/mnist.h: IDX files as MNIST, Fashion-MNIST and KMNIST come in (LeCun, "the IDX file format").
#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace nunchi::data {

// Whether the file's name is that of a file of pictures: "t10k-images-idx3-ubyte", "train-images.idx3-ubyte.gz".
bool is_idx_pictures(const std::filesystem::path& path);

// The folder, or the one below it that torchvision makes, which holds such files; empty where there is none.
std::filesystem::path idx_folder(const std::filesystem::path& path);

// A folder of idx_folder(), or one file of pictures with its labels beside it.
Dataset open_mnist(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace nunchi::data
