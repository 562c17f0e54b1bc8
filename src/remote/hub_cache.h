// remote/hub_cache.h: one repository in the cache that the Hugging Face libraries share. Facts from
// huggingface_hub 2.4:
//
//   CACHE/models--org--name/refs/main                    the commit, as text
//                          /snapshots/COMMIT/FILE        a link to ../../blobs/ETAG, or the file itself without links
//                          /blobs/ETAG                   the content
//                          /blobs/ETAG.incomplete        what has come so far
//                          /.no_exist/COMMIT/FILE        empty: the hub has no such file
//   CACHE/.locks/models--org--name/ETAG.lock             held while the blob is brought and linked
//
//   const CachedRepository cached(settings.cache, "org/name");
//   if (const auto commit = cached.commit_of("main")) open(cached.snapshot(*commit) / "config.json");
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nunchi::remote {

class CachedRepository {
 public:
  CachedRepository(const std::filesystem::path& cache, const std::string& repository);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path blob(const std::string& etag) const { return folder_ / "blobs" / etag; }
  std::filesystem::path partial_blob(const std::string& etag) const { return blob(etag + ".incomplete"); }
  std::filesystem::path snapshot(const std::string& commit) const { return folder_ / "snapshots" / commit; }
  std::filesystem::path lock(const std::string& etag) const { return locks_ / (etag + ".lock"); }

  // The commit itself where `revision` is one, else what refs/ says, if it is a commit.
  std::optional<std::string> commit_of(const std::string& revision) const;

  // Nothing is written where the reference is right already, so that a cache may be read-only.
  void write_reference(const std::string& revision, const std::string& commit) const;

  bool has_file(const std::string& commit, const std::string& file) const;  // not a link to nothing
  bool is_marked_absent(const std::string& commit, const std::string& file) const;
  void mark_absent(const std::string& commit, const std::string& file) const;  // as well as it can

  // snapshots/COMMIT/FILE stands for the blob: a relative link, or the blob itself, moved there, where `links` is false
  // or the file system has none. Throws Error (input) where that fails.
  void add_to_snapshot(const std::string& commit, const std::string& file, const std::string& etag, bool links) const;

 private:
  std::filesystem::path folder_, locks_;
};

// What a snapshot has of a model: nothing to run, enough to run, or all that a pull would bring.
enum class Completeness { none, usable, complete };
Completeness completeness(const CachedRepository& cached, const std::string& commit);

// The files of a model among all that a repository holds: its configurations, and the first of model.safetensors, its
// index, one single .safetensors file, pytorch_model.bin and its index. Shards are named by the index itself.
std::vector<std::string> needed_files(const std::vector<std::string>& all);

bool is_shard_index(const std::string& file);

// The files that an index names. Throws Error (model) where it is no index, or names anything but files beside it.
std::set<std::string> shards_of(const std::filesystem::path& index);

// A plain name of a file: no folder, nothing hidden, no control character.
bool is_plain_name(const std::string& name);

// The cache folder, with the tag that keeps it out of backups. Throws Error (input) where it cannot be made.
void make_cache(const std::filesystem::path& cache);

}  // namespace nunchi::remote
