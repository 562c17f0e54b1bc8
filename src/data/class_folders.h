// data/class_folders.h: pictures in one folder per class, on disk or in a zip archive.
#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace nunchi::data {

Dataset open_class_folders(const std::filesystem::path& folder, const DatasetOptions& options);

// The same inside an archive; folders that hold nothing but one folder are looked through. Only the directory of the
// archive is read here, and each picture when it is asked for.
Dataset open_class_zip(const std::filesystem::path& archive, const DatasetOptions& options);

}  // namespace nunchi::data
