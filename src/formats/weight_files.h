// formats/weight_files.h: the tensors of a checkpoint, whatever the format of its files: safetensors, or what
// torch.save wrote. The format is told by the content, not by the ending.
//
//   const WeightFiles weights = open_weights("vit-base");          // a file, a sharded index, or a folder with either
//   const TensorView* bias = weights.find("classifier.bias");      // a view of the mapped file wherever that is
//   possible
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file.h"
#include "formats/tensor_view.h"

namespace nunchi::formats {

// One file. The views stay valid as long as this object, a copy of it, or a copy of file() lives.
class WeightFile {
 public:
  // `file` also owns the memory of tensors that do not lie in the mapping.
  WeightFile(std::shared_ptr<const MappedFile> file, std::vector<TensorView> tensors, Metadata metadata);

  const std::vector<TensorView>& tensors() const { return tensors_; }
  const TensorView* find(const std::string& name) const;  // null where there is none
  const Metadata& metadata() const { return metadata_; }
  const std::shared_ptr<const MappedFile>& file() const { return file_; }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::vector<TensorView> tensors_;
  Metadata metadata_;
  std::unordered_map<std::string, std::size_t> positions_;
};

// The tensors of one checkpoint, in one file or in shards.
class WeightFiles {
 public:
  explicit WeightFiles(std::vector<WeightFile> files);

  std::vector<std::string> names() const;  // sorted
  std::map<std::string, std::vector<std::int64_t>> shapes() const;
  const TensorView* find(const std::string& name) const;
  std::shared_ptr<const MappedFile> file_of(const std::string& name) const;  // null where there is no such tensor
  const std::vector<WeightFile>& files() const { return files_; }
  const Metadata& metadata() const { return files_.front().metadata(); }

  // Throws Error (model) if a file shrank while it was read: to be called after the last read.
  void check() const;

 private:
  std::vector<WeightFile> files_;
  std::map<std::string, std::size_t> file_of_name_;
};

// The shards that a *.index.json names, which must lie beside it. Throws Error (model) where a shard or a tensor in it
// is missing, or a name leads out of the folder.
WeightFiles open_sharded(const std::filesystem::path& index, Access access = Access::normal);

// File name of a shard for each tensor name of an index (the text of the JSON file); `name` is for the message.
std::map<std::string, std::string> parse_shard_index(std::string_view text, const std::string& name);

// A file of weights, an index, or a folder. In a folder it is the first of: model.safetensors, its index,
// pytorch_model.bin, its index, one single .safetensors, one single .pth, .pt or .bin. Throws Error (model) with what
// was found.
WeightFiles open_weights(const std::filesystem::path& path, Access access = Access::normal);

}  // namespace nunchi::formats
