#include "remote/hub_cache.h"

#include <fmt/format.h>

#include "core/file.h"
#include "core/json.h"
#include "remote/hub_name.h"

namespace nunchi::remote {
namespace {

namespace fs = std::filesystem;

std::string folder_name(const std::string& repository) {
  std::string name = "models--" + repository;
  return name.replace(name.find('/'), 1, "--");
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::input, fmt::format("{}: the folder cannot be made: {}; HF_HUB_CACHE names another place "
                                              "for models",
                                              folder.string(), error.message()));
  }
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

[[noreturn]] void fail_to_add(const fs::path& pointer, const std::error_code& error) {
  throw Error(ErrorKind::input, fmt::format("{}: cannot be written: {}", pointer.string(), error.message()));
}

}  // namespace

CachedRepository::CachedRepository(const fs::path& cache, const std::string& repository)
    : folder_(cache / folder_name(repository)), locks_(cache / ".locks" / folder_name(repository)) {}

std::optional<std::string> CachedRepository::commit_of(const std::string& revision) const {
  constexpr std::uint64_t most_bytes = 4096;
  if (is_commit(revision)) return revision;
  const fs::path reference = folder_ / "refs" / revision;
  if (!is_file(reference)) return std::nullopt;
  std::string commit = read_file(reference, most_bytes, ErrorKind::model);
  while (!commit.empty() && (commit.back() == '\n' || commit.back() == '\r')) commit.pop_back();
  return is_commit(commit) ? std::optional(commit) : std::nullopt;
}

void CachedRepository::write_reference(const std::string& revision, const std::string& commit) const {
  if (is_commit(revision) || commit_of(revision) == commit) return;
  const fs::path reference = folder_ / "refs" / revision;
  make_folder(reference.parent_path());
  write_file(reference, commit);
}

bool CachedRepository::has_file(const std::string& commit, const std::string& file) const {
  return is_file(snapshot(commit) / file);
}

bool CachedRepository::is_marked_absent(const std::string& commit, const std::string& file) const {
  return is_file(folder_ / ".no_exist" / commit / file);
}

void CachedRepository::mark_absent(const std::string& commit, const std::string& file) const {
  if (is_marked_absent(commit, file)) return;
  std::error_code error;
  fs::create_directories(folder_ / ".no_exist" / commit, error);
  if (error) return;
  try {
    write_file(folder_ / ".no_exist" / commit / file, "");
  } catch (const Error&) {  // only a hint: the next look asks the hub again
    return;
  }
}

void CachedRepository::add_to_snapshot(const std::string& commit, const std::string& file, const std::string& etag,
                                       bool links) const {
  const fs::path pointer = snapshot(commit) / file;
  make_folder(pointer.parent_path());
  const fs::path target = fs::path("../../blobs") / etag;
  std::error_code error;
  if (links && fs::is_symlink(pointer, error) && fs::read_symlink(pointer, error) == target) return;
  fs::remove(pointer, error);
  if (links) fs::create_symlink(target, pointer, error);
  if (links && !error) return;
  error.clear();
  fs::rename(blob(etag), pointer, error);
  if (error) fail_to_add(pointer, error);
}

bool is_shard_index(const std::string& file) { return file.ends_with(".index.json"); }

bool is_plain_name(const std::string& name) {
  constexpr std::size_t longest = 255;
  if (name.empty() || name.size() > longest || name.front() == '.') return false;
  return name.find_first_of("/\\") == std::string::npos && std::all_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) >= ' ' && c != 0x7f;
         });
}

std::set<std::string> shards_of(const fs::path& index) {
  const Json json = read_json(index);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object()) {
    throw Error(ErrorKind::model,
                fmt::format("{}: expected an object with a \"weight_map\", found none", index.string()));
  }
  std::set<std::string> shards;
  for (const auto& shard : *map) {
    if (!shard.is_string() || !is_plain_name(shard.get<std::string>())) {
      throw Error(ErrorKind::model, fmt::format("{}: expected the name of a file beside it, found {}", index.string(),
                                                shard.dump(-1, ' ', true)));
    }
    shards.insert(shard.get<std::string>());
  }
  return shards;
}

std::vector<std::string> needed_files(const std::vector<std::string>& all) {
  const auto has = [&](const std::string& name) { return std::find(all.begin(), all.end(), name) != all.end(); };
  std::vector<std::string> needed;
  for (const auto* name : {"config.json", "preprocessor_config.json", "processor_config.json"}) {
    if (has(name)) needed.emplace_back(name);
  }
  for (const auto* name : {"model.safetensors", "model.safetensors.index.json"}) {
    if (has(name)) return needed.emplace_back(name), needed;
  }
  std::vector<std::string> single;
  std::copy_if(all.begin(), all.end(), std::back_inserter(single),
               [](const std::string& name) { return is_plain_name(name) && name.ends_with(".safetensors"); });
  if (single.size() == 1) return needed.push_back(single.front()), needed;
  for (const auto* name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (has(name)) return needed.emplace_back(name), needed;
  }
  return needed;
}

namespace {

bool has_weights(const CachedRepository& cached, const std::string& commit) {
  std::vector<std::string> names;
  for (const auto& file : list_files(cached.snapshot(commit))) names.push_back(file.filename());
  const auto needed = needed_files(names);
  if (needed.empty() || needed.back().find("config.json") != std::string::npos) return false;
  if (!is_shard_index(needed.back())) return true;
  const auto shards = shards_of(cached.snapshot(commit) / needed.back());
  return std::all_of(shards.begin(), shards.end(), [&](const auto& shard) { return cached.has_file(commit, shard); });
}

// How pictures are to be prepared: in a file of its own, or known to be nowhere but in config.json, as timm has it.
bool has_processor(const CachedRepository& cached, const std::string& commit) {
  bool absent = true;
  for (const auto* name : {"preprocessor_config.json", "processor_config.json"}) {
    if (cached.has_file(commit, name)) return true;
    absent = absent && cached.is_marked_absent(commit, name);
  }
  const Json config = read_json(cached.snapshot(commit) / "config.json");
  return absent || (config.is_object() && (config.contains("pretrained_cfg") || config.contains("architecture")));
}

}  // namespace

Completeness completeness(const CachedRepository& cached, const std::string& commit) {
  if (!cached.has_file(commit, "config.json") || !has_weights(cached, commit)) return Completeness::none;
  return has_processor(cached, commit) ? Completeness::complete : Completeness::usable;
}

void make_cache(const fs::path& cache) {
  make_folder(cache);
  const fs::path tag = cache / "CACHEDIR.TAG";
  if (is_file(tag)) return;
  try {
    write_file(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# Downloaded models; backups need not hold them.\n");
  } catch (const Error&) {  // what cannot be written here will be told where it matters
    return;
  }
}

}  // namespace nunchi::remote
