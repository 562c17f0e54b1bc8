// formats/safetensors.h: named arrays in one file, as Hugging Face publishes weights
// (specification: https://huggingface.co/docs/safetensors, checked against the safetensors 0.8 library).
//
//   const auto file = SafetensorsFile::open("expected.safetensors");
//   const TensorView* logits = file.find("logits");               // a view of the mapped file, nothing is copied
//   write_safetensors("out.safetensors", {{"logits", Dtype::f32, {1, 1000}, bytes}}, {{"format", "pt"}});
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/file.h"
#include "formats/weight_files.h"

namespace nunchi::formats {

struct SafetensorsContents {
  std::vector<TensorView> tensors;  // in the order of their data
  Metadata metadata;
};

// Whether the length at the beginning of the file is one that a header may have.
bool is_safetensors(std::span<const std::byte> file);

// Checks everything: header length and text, duplicate names, dtypes, shapes, and that the data ranges cover the file
// without holes or overlaps. Throws Error (model) with `name`, the tensor, what was expected and what was found.
SafetensorsContents parse_safetensors(std::span<const std::byte> file, const std::string& name);

// One mapped file.
class SafetensorsFile : public WeightFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path, Access access = Access::normal);
  static SafetensorsFile read(const std::shared_ptr<const MappedFile>& file);

 private:
  using WeightFile::WeightFile;
};

// Writes atomically, straight from the views; the order and padding are those of the reference library. Throws Error
// (input) where the file cannot be written; shapes that do not match their bytes are a bug of the caller.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                       const Metadata& metadata = {});

}  // namespace nunchi::formats
