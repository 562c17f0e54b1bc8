// tasks/convert.h: a checkpoint written again: in another publisher's words, another file format, another dtype.
//
//   tasks::convert({.path = "vit-base"}, "vit-base-timm", {.layout = Layout::timm, .dtype = "fp16"});
#pragma once

#include "tasks/model_files.h"

namespace nunchi::tasks {

enum class Layout { transformers, timm, safetensors };  // safetensors: the same names, whatever they are

struct ConvertOptions {
  Layout layout = Layout::safetensors;
  std::string dtype =
      {};  // fp32, fp16 or bf16, of the floating-point tensors; empty: as they are (fp32 for the others)
};

struct Converted {
  std::size_t tensors = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> remarks;  // what the publisher can only say nearly
};

// Writes the folder `out` with model.safetensors and, where they are known, config.json and the picture processor's
// file. The folder appears when it is complete. Throws Error (input) where it is there already and holds files, Error
// (usage) where the publisher's classes cannot express the model.
Converted convert(const ModelSource& source, const std::filesystem::path& out, const ConvertOptions& options);

}  // namespace nunchi::tasks
