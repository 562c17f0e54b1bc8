#include "formats/weight_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "core/assert.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "formats/torch_file.h"

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

// Trainers leave these beside the weights.
bool is_training_state(const fs::path& file) {
  constexpr std::array<std::string_view, 4> beginnings{"training_args", "optimizer", "scheduler", "rng_state"};
  const std::string name = file.filename().string();
  return std::any_of(beginnings.begin(), beginnings.end(), [&](auto beginning) { return name.starts_with(beginning); });
}

std::vector<fs::path> candidates_of(const std::vector<fs::path>& files, const std::set<std::string>& endings) {
  std::vector<fs::path> candidates;
  std::copy_if(files.begin(), files.end(), std::back_inserter(candidates), [&](const fs::path& file) {
    return endings.contains(file.extension().string()) && !is_training_state(file);
  });
  return candidates;
}

fs::path weights_in(const fs::path& folder) {
  for (const auto* name :
       {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  const auto files = list_files(folder);
  for (const auto& endings : {std::set<std::string>{".safetensors"}, {".pth", ".pt", ".bin"}}) {
    const auto candidates = candidates_of(files, endings);
    if (candidates.size() == 1) return candidates.front();
    if (!candidates.empty()) break;
  }
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  throw Error(ErrorKind::model,
              fmt::format("{}: expected model.safetensors, pytorch_model.bin, an index of either, or one single "
                          ".safetensors, .pth, .pt or .bin file, found {}",
                          folder.string(), names.empty() ? "no file" : fmt::format("{}", fmt::join(names, ", "))));
}

// The mapping and the memory of the tensors that do not lie in it: whoever holds one holds both.
struct HeldFile {
  MappedFile file;
  std::shared_ptr<const void> memory;
};

WeightFile read_torch(const std::shared_ptr<HeldFile>& held, const TorchOptions& options) {
  TorchWeights weights;
  try {
    weights = read_torch_file(held->file.bytes(), held->file.path().string(), options);
  } catch (const Error&) {
    held->file.check();  // what is just being written reads as zeros
    throw;
  }
  held->file.check();
  held->memory = std::move(weights.memory);
  return {std::shared_ptr<const MappedFile>(held, &held->file), std::move(weights.tensors),
          std::move(weights.metadata)};
}

// Git leaves a few lines of text where Git LFS has not fetched the file itself.
[[noreturn]] void fail_unknown(const MappedFile& file) {
  constexpr std::string_view pointer = "version https://git-lfs";
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  throw Error(
      ErrorKind::model,
      fmt::format(
          "{}: expected weights as safetensors or torch.save write them, found {}", file.path().string(),
          text.starts_with(pointer) ? "a pointer of Git LFS to them; fetch them with `git lfs pull`" : "another file"));
}

WeightFile open_file(const fs::path& path, Access access, const TorchOptions& options) {
  auto held = std::make_shared<HeldFile>(HeldFile{MappedFile::open(path, {.access = access}), nullptr});
  if (is_torch_file(held->file.bytes())) return read_torch(held, options);
  if (!is_safetensors(held->file.bytes())) fail_unknown(held->file);
  return SafetensorsFile::read(std::shared_ptr<const MappedFile>(held, &held->file));
}

}  // namespace

WeightFile::WeightFile(std::shared_ptr<const MappedFile> file, std::vector<TensorView> tensors, Metadata metadata)
    : file_(std::move(file)), tensors_(std::move(tensors)), metadata_(std::move(metadata)) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) positions_.emplace(tensors_[i].name, i);
}

const TensorView* WeightFile::find(const std::string& name) const {
  const auto found = positions_.find(name);
  return found == positions_.end() ? nullptr : &tensors_[found->second];
}

WeightFiles::WeightFiles(std::vector<WeightFile> files) : files_(std::move(files)) {
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

std::map<std::string, std::vector<std::int64_t>> WeightFiles::shapes() const {
  std::map<std::string, std::vector<std::int64_t>> result;
  for (const auto& [name, file] : file_of_name_) result.emplace(name, files_[file].find(name)->shape);
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
  for (const WeightFile& file : files_) file.file()->check();
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
  std::vector<WeightFile> files;
  for (const std::string& shard : names) {
    const fs::path path = index.parent_path() / shard;
    if (!fs::exists(path)) {
      throw Error(ErrorKind::model,
                  fmt::format("{}: its shard {} is missing: expected it beside the index", index.string(), shard));
    }
    files.push_back(open_file(path, access, {.as_they_are = true}));
  }
  WeightFiles weights(std::move(files));
  check_tensors_present(weights, shards, index);
  return weights;
}

WeightFiles open_weights(const fs::path& path, Access access) {
  const fs::path file = fs::is_directory(path) ? weights_in(path) : path;
  if (ends_with(file, index_ending)) return open_sharded(file, access);
  std::vector<WeightFile> files;
  files.push_back(open_file(file, access, {}));
  return WeightFiles(std::move(files));
}

}  // namespace nunchi::formats
