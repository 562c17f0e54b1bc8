// data/list_file.h: a text that names pictures and their classes.
#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace nunchi::data {

// .csv, .tsv or .txt.
bool is_list_file(const std::filesystem::path& path);

// A row is a path (from the list's own folder where it is relative) and a label. A header may say which columns they
// are (path or file..., label or class..., and split); lines of a .txt are "path label". Labels that are all numbers
// are sorted as such.
Dataset open_list_file(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace nunchi::data
