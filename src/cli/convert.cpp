#include "tasks/convert.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "core/progress.h"

namespace nunchi::cli {
namespace {

tasks::Layout layout_named(const std::string& name) {
  if (name == "hf") return tasks::Layout::transformers;
  return name == "timm" ? tasks::Layout::timm : tasks::Layout::safetensors;
}

}  // namespace

int convert(const Options& options) {
  const auto written = tasks::convert(model_source(options), options.out,
                                      {.layout = layout_named(options.layout), .dtype = options.dtype});
  if (!options.quiet) {
    for (const auto& text : written.remarks) remark(text);
  }
  Results results("");
  results.line(fmt::format("{}: {} tensors, {}", options.out, written.tensors, format_bytes(written.bytes)));
  return 0;
}

}  // namespace nunchi::cli
