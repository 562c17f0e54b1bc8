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

// Grids of pictures of different shapes do not go into one array.
Tensor joined(const std::vector<Tensor>& parts) {
  for (const auto& part : parts) {
    if (part.sizes().slice(1) != parts.front().sizes().slice(1)) {
      throw Error(ErrorKind::input,
                  fmt::format("--pool grid: expected grids of one size, found {} and {}; write them to a .jsonl file, "
                              "or use --pool mean",
                              to_string(parts.front().sizes().slice(1)), to_string(part.sizes().slice(1))));
    }
  }
  return at::cat(parts, 0).contiguous();
}

}  // namespace

int embed(const Options& options) {
  const auto kind = tasks::embedding_kind_from_name(options.pool);
  const auto pictures = find_pictures(options);
  const bool arrays = options.out.ends_with(".npy") || options.out.ends_with(".safetensors");
  if (arrays) check_place(options.out);
  Results results(arrays ? "" : options.out);
  const auto model = open_model(options);
  std::vector<Tensor> parts;
  std::vector<std::string> files;
  const int code = run_pictures(options, model, pictures, [&](const Step& step) {
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
  if (!arrays || (parts.empty() && code == exit_interrupted)) return code;
  if (parts.empty())
    throw Error(ErrorKind::input, fmt::format("{}: not written: no picture could be embedded", options.out));
  const Tensor all = joined(parts);
  write_arrays(options.out, all, files);
  if (!options.quiet) remark(fmt::format("{}: written, {} float32", options.out, to_string(all.sizes())));
  return code;
}

}  // namespace nunchi::cli
