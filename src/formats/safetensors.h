// formats/safetensors.h: named arrays in one file, as Hugging Face publishes weights
// (specification: https://huggingface.co/docs/safetensors, checked against the safetensors 0.8 library).
//
//   const WeightFiles weights = open_weights("vit-base");          // a file, a sharded index, or a folder with either
//   const TensorView* bias = weights.find("classifier.bias");      // a view of the mapped file, nothing is copied
//   write_safetensors("out.safetensors", {{"logits", Dtype::f32, {1, 1000}, bytes}}, {{"format", "pt"}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file.h"
#include "formats/dtype.h"

namespace nunchi::formats {

// An array in somebody else's memory, row-major, little-endian.
struct TensorView {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // empty: one number
  std::span<const std::byte> bytes;

  std::int64_t count() const;  // of elements
  bool aligned() const;        // old files may not be: copy then, do not read through a float pointer
};

using Metadata = std::map<std::string, std::string>;

struct SafetensorsContents {
  std::vector<TensorView> tensors;  // in the order of their data
  Metadata metadata;
};

// Checks everything: header length and text, duplicate names, dtypes, shapes, and that the data ranges cover the file
// without holes or overlaps. Throws Error (model) with `name`, the tensor, what was expected and what was found.
SafetensorsContents parse_safetensors(std::span<const std::byte> file, const std::string& name);

// One mapped file. The views stay valid as long as this object, a copy of it, or a copy of file() lives.
class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path, Access access = Access::normal);

  const std::vector<TensorView>& tensors() const { return contents_.tensors; }
  const TensorView* find(const std::string& name) const;  // null where there is none
  const Metadata& metadata() const { return contents_.metadata; }
  const std::shared_ptr<const MappedFile>& file() const { return file_; }

 private:
  std::shared_ptr<const MappedFile> file_;
  SafetensorsContents contents_;
  std::unordered_map<std::string, std::size_t> positions_;
};

// The tensors of one checkpoint, in one file or in shards.
class WeightFiles {
 public:
  explicit WeightFiles(std::vector<SafetensorsFile> files);

  std::vector<std::string> names() const;  // sorted
  const TensorView* find(const std::string& name) const;
  std::shared_ptr<const MappedFile> file_of(const std::string& name) const;  // null where there is no such tensor
  const std::vector<SafetensorsFile>& files() const { return files_; }
  const Metadata& metadata() const { return files_.front().metadata(); }

  // Throws Error (model) if a file shrank while it was read: to be called after the last read.
  void check() const;

 private:
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t> file_of_name_;
};

// The shards that a *.safetensors.index.json names, which must lie beside it. Throws Error (model) where a shard or a
// tensor in it is missing, or a name leads out of the folder.
WeightFiles open_sharded(const std::filesystem::path& index, Access access = Access::normal);

// File name of a shard for each tensor name of an index (the text of the JSON file); `name` is for the message.
std::map<std::string, std::string> parse_shard_index(std::string_view text, const std::string& name);

// A .safetensors file, an index, or a folder that holds model.safetensors, model.safetensors.index.json, or one single
// .safetensors file.
WeightFiles open_weights(const std::filesystem::path& path, Access access = Access::normal);

// Writes atomically, straight from the views; the order and padding are those of the reference library. Throws Error
// (input) where the file cannot be written; shapes that do not match their bytes are a bug of the caller.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                       const Metadata& metadata = {});

}  // namespace nunchi::formats
