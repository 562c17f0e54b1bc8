#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/assert.h"
#include "core/json.h"
#include "formats/safetensors.h"

namespace nunchi::formats {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view index_ending = ".index.json";

bool ends_with(const fs::path& path, std::string_view ending) { return path.filename().string().ends_with(ending); }

// A shard is a plain file name: an index from the network must not reach other folders.
void check_shard_name(const std::string& shard, const std::string& index) {
  const bool plain = !shard.empty() && shard != "." && shard != ".." && shard.find('/') == std::string::npos &&
                     shard.find('\\') == std::string::npos && shard.find('\0') == std::string::npos;
  if (!plain) {
    throw Error(ErrorKind::model, fmt::format("{}: expected the name of a file beside it, found {}", index,
                                              Json(shard).dump(-1, ' ', true)));
  }
}

void check_tensors_present(const WeightFiles& weights, const std::map<std::string, std::string>& shards,
                           const fs::path& index) {
  std::vector<std::string> missing;
  for (const auto& [tensor, shard] : shards) {
    const auto file = weights.file_of(tensor);
    if (file == nullptr || file->path().filename() != shard) missing.push_back(fmt::format("{} in {}", tensor, shard));
  }
  if (missing.empty()) return;
  const std::size_t count = missing.size();
  missing.resize(std::min<std::size_t>(count, 10));
  throw Error(ErrorKind::model, fmt::format("{}: {} of its tensors are missing: {}{}", index.string(), count,
                                            fmt::join(missing, ", "), count > missing.size() ? ", ..." : ""));
}

[[noreturn]] void fail_without_weights(const fs::path& folder, const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  throw Error(
      ErrorKind::model,
      fmt::format("{}: expected model.safetensors, model.safetensors.index.json or one single .safetensors file, "
                  "found {}",
                  folder.string(), names.empty() ? "no file" : fmt::format("{}", fmt::join(names, ", "))));
}

fs::path weights_in(const fs::path& folder) {
  for (const auto* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  const auto files = list_files(folder);
  std::vector<fs::path> candidates;
  std::copy_if(files.begin(), files.end(), std::back_inserter(candidates),
               [](const fs::path& file) { return file.extension() == ".safetensors"; });
  if (candidates.size() != 1) fail_without_weights(folder, files);
  return candidates.front();
}

}  // namespace

WeightFiles::WeightFiles(std::vector<SafetensorsFile> files) : files_(std::move(files)) {
  ASSERT(!files_.empty(), "a checkpoint has a file");
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const TensorView& tensor : files_[i].tensors()) {
      const auto [at, added] = file_of_name_.emplace(tensor.name, i);
      if (added) continue;
      throw Error(ErrorKind::model,
                  fmt::format("tensor \"{}\": expected it once, found it in {} and in {}", tensor.name,
                              files_[at->second].file()->path().string(), files_[i].file()->path().string()));
    }
  }
}

std::vector<std::string> WeightFiles::names() const {
  std::vector<std::string> result;
  for (const auto& [name, file] : file_of_name_) result.push_back(name);
  return result;
}

const TensorView* WeightFiles::find(const std::string& name) const {
  const auto found = file_of_name_.find(name);
  return found == file_of_name_.end() ? nullptr : files_[found->second].find(name);
}

std::shared_ptr<const MappedFile> WeightFiles::file_of(const std::string& name) const {
  const auto found = file_of_name_.find(name);
  return found == file_of_name_.end() ? nullptr : files_[found->second].file();
}

void WeightFiles::check() const {
  for (const SafetensorsFile& file : files_) file.file()->check();
}

std::map<std::string, std::string> parse_shard_index(std::string_view text, const std::string& name) {
  const Json index = parse_json(text, name);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object() || map->empty()) {
    throw Error(ErrorKind::model, fmt::format("{}: expected an object with a \"weight_map\", found none", name));
  }
  std::map<std::string, std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string()) {
      throw Error(ErrorKind::model,
                  fmt::format("{}: \"{}\": expected a file name, found {}", name, tensor, shard.type_name()));
    }
    check_shard_name(shard.get<std::string>(), name);
    shards[tensor] = shard.get<std::string>();
  }
  return shards;
}

WeightFiles open_sharded(const fs::path& index, Access access) {
  constexpr std::uint64_t most_bytes = 256u << 20;
  const auto shards = parse_shard_index(read_file(index, most_bytes, ErrorKind::model), index.string());
  std::set<std::string> names;
  for (const auto& [tensor, shard] : shards) names.insert(shard);
  std::vector<SafetensorsFile> files;
  for (const std::string& shard : names) {
    const fs::path path = index.parent_path() / shard;
    if (!fs::exists(path)) {
      throw Error(ErrorKind::model,
                  fmt::format("{}: its shard {} is missing: expected it beside the index", index.string(), shard));
    }
    files.push_back(SafetensorsFile::open(path, access));
  }
  WeightFiles weights(std::move(files));
  check_tensors_present(weights, shards, index);
  return weights;
}

WeightFiles open_weights(const fs::path& path, Access access) {
  const fs::path file = fs::is_directory(path) ? weights_in(path) : path;
  if (ends_with(file, index_ending)) return open_sharded(file, access);
  std::vector<SafetensorsFile> files;
  files.push_back(SafetensorsFile::open(file, access));
  return WeightFiles(std::move(files));
}

}  // namespace nunchi::formats
