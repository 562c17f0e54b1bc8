#include "tasks/embed.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "core/file.h"
#include "formats/npy.h"

namespace nunchi::cli {
namespace {

Json file_names(const std::vector<std::string>& files) { return Json(files); }

void write_arrays(const std::string& path, const Tensor& all, const std::vector<std::string>& files) {
  auto view = weights::view_of("embeddings", all);
  if (path.ends_with(".npy")) {
    formats::write_npy(path, formats::Dtype::f32, view.shape, view.bytes);
    write_file(path + ".files.json", json_line(file_names(files)) + "\n");
  } else {
    formats::write_safetensors(path, {view}, {{"files", json_line(file_names(files))}});
  }
}

Json nested(const Tensor& tensor) {
  if (tensor.dim() == 1) {
    const float* values = tensor.const_data_ptr<float>();
    return std::vector<float>(values, values + tensor.numel());
  }
  Json list = Json::array();
  for (const auto& part : tensor.unbind(0)) list.push_back(nested(part.contiguous()));
  return list;
}

void check_target(const Options& options) {
  const std::filesystem::path path = options.out;
  const auto kind = path.extension();
  if (path.empty() || kind == ".npy" || kind == ".safetensors" || kind == ".jsonl") return;
  throw Error(ErrorKind::usage, fmt::format("--out {}: expected a name ending in .npy, .safetensors or .jsonl", options.out));
}

}  // namespace

int embed(const Options& options) {
  check_target(options);
  const auto kind = tasks::embedding_kind_from_name(options.pool);
  const auto paths = picture_paths(options);
  const auto model = open_model(options);
  const bool arrays = options.out.ends_with(".npy") || options.out.ends_with(".safetensors");
  Results results(arrays ? "" : options.out);
  std::vector<Tensor> parts;
  std::vector<std::string> files;
  const int code = run_pictures(options, model, paths, [&](const Step& step) {
    if (step.batch.indices.empty()) return;
    const Tensor rows = tasks::embeddings(step.output, kind);
    for (std::size_t i = 0; i < step.batch.indices.size(); ++i) {
      files.push_back(step.paths[step.batch.indices[i]].string());
      const Tensor row = rows[static_cast<std::int64_t>(i)].contiguous();
      if (!arrays) results.line(json_line({{"file", files.back()}, {"embedding", nested(row)}}));
    }
    if (arrays) parts.push_back(rows);
  });
  if (!arrays) results.close();
  if (arrays && parts.empty()) throw Error(ErrorKind::input, fmt::format("{}: not written: no picture could be embedded", options.out));
  if (arrays) write_arrays(options.out, at::cat(parts, 0).contiguous(), files);
  return code;
}

}  // namespace nunchi::cli
