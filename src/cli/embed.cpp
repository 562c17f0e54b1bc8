#include "tasks/embed.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "core/file.h"
#include "formats/npy.h"

namespace nunchi::cli {
namespace {

Json file_names(const std::vector<std::string>& files) { return Json(files); }

// One of --pool, and its rows of all pictures.
struct Kind {
  std::string name;
  tasks::EmbeddingKind kind;
  std::vector<Tensor> parts = {};
};

std::vector<Kind> kinds_of(const Options& options) {
  std::vector<Kind> kinds;
  for (const auto& name : options.pools)
    if (std::ranges::find(kinds, name, &Kind::name) == kinds.end())
      kinds.push_back({name, tasks::embedding_kind_from_name(name)});
  if (kinds.size() > 1 && options.out.ends_with(".npy")) {
    throw Error(ErrorKind::usage, fmt::format("{}: expected one --pool for a .npy file, found {}; write a .safetensors "
                                              "or .jsonl file",
                                              options.out, kinds.size()));
  }
  return kinds;
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
Tensor joined(const Kind& kind) {
  const auto& parts = kind.parts;
  for (const auto& part : parts) {
    if (part.sizes().slice(1) != parts.front().sizes().slice(1)) {
      throw Error(ErrorKind::input,
                  fmt::format("--pool {}: expected grids of one size, found {} and {}; write them to a .jsonl file, "
                              "or use --pool mean",
                              kind.name, to_string(parts.front().sizes().slice(1)), to_string(part.sizes().slice(1))));
    }
  }
  return at::cat(parts, 0).contiguous();
}

// Of a single kind the array is called "embeddings", of several each by its name.
void write_arrays(const std::string& path, const std::vector<Kind>& kinds, const std::vector<std::string>& files,
                  bool quiet) {
  std::vector<Tensor> arrays;
  std::vector<formats::TensorView> views;
  for (const auto& kind : kinds) arrays.push_back(joined(kind));
  for (std::size_t i = 0; i < kinds.size(); ++i)
    views.push_back(weights::view_of(kinds.size() > 1 ? kinds[i].name : "embeddings", arrays[i]));
  if (path.ends_with(".npy")) {
    formats::write_npy(path, formats::Dtype::f32, views.front().shape, views.front().bytes);
    write_file(path + ".files.json", json_line(file_names(files)) + "\n");
  } else {
    formats::write_safetensors(path, views, {{"files", json_line(file_names(files))}});
  }
  if (quiet) return;
  for (std::size_t i = 0; i < kinds.size(); ++i)
    remark(fmt::format("{}: {} written, {} float32", path, kinds[i].name, to_string(arrays[i].sizes())));
}

// Of a single kind the numbers are called "embedding", of several each by its name.
Json line_of(const std::string& file, const std::vector<Kind>& kinds, const std::vector<Tensor>& rows, std::int64_t i) {
  Json line = {{"file", file}};
  for (std::size_t k = 0; k < kinds.size(); ++k)
    line[kinds.size() > 1 ? kinds[k].name : "embedding"] = nested(rows[k][i].contiguous());
  return line;
}

}  // namespace

int embed(const Options& options) {
  auto kinds = kinds_of(options);
  const auto pictures = find_pictures(options);
  const bool arrays = options.out.ends_with(".npy") || options.out.ends_with(".safetensors");
  if (arrays) check_place(options.out);
  Results results(arrays ? "" : options.out);
  const auto model = open_model(options);
  std::vector<std::string> files;
  const int code = run_pictures(options, model, pictures, [&](const Step& step) {
    if (step.batch.indices.empty()) return;
    std::vector<Tensor> rows;
    for (const auto& kind : kinds) rows.push_back(tasks::embeddings(step.output, kind.kind));
    for (std::size_t i = 0; i < step.batch.indices.size(); ++i) {
      files.push_back(step.paths[step.batch.indices[i]].string());
      if (!arrays) results.line(json_line(line_of(files.back(), kinds, rows, static_cast<std::int64_t>(i))));
    }
    for (std::size_t k = 0; arrays && k < kinds.size(); ++k) kinds[k].parts.push_back(rows[k]);
  });
  if (!arrays) results.close();
  if (!arrays || (files.empty() && code == exit_interrupted)) return code;
  if (files.empty())
    throw Error(ErrorKind::input, fmt::format("{}: not written: no picture could be embedded", options.out));
  write_arrays(options.out, kinds, files, options.quiet);
  return code;
}

}  // namespace nunchi::cli
