#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "tasks/embed.h"

namespace nunchi::cli {
namespace {

void write_table(Results& results, const std::vector<std::string>& files, const Tensor& cosines) {
  std::size_t width = 0;
  for (const auto& file : files) width = std::max(width, file.size());
  std::string header(width + 5, ' ');
  for (std::size_t i = 0; i < files.size(); ++i) header += fmt::format("  {:>6}", i + 1);
  results.line(header);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const float* row = cosines.const_data_ptr<float>() + i * files.size();
    std::string line = fmt::format("{:>3}  {:<{}}", i + 1, files[i], width);
    for (std::size_t j = 0; j < files.size(); ++j) line += fmt::format("  {:6.3f}", row[j]);
    results.line(line);
  }
}

void write_json(Results& results, const std::vector<std::string>& files, const Tensor& cosines) {
  Json matrix = Json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const float* row = cosines.const_data_ptr<float>() + i * files.size();
    matrix.push_back(std::vector<float>(row, row + files.size()));
  }
  results.line(json_line({{"files", files}, {"cosine", matrix}}));
}

}  // namespace

int similar(const Options& options) {
  const auto kind = tasks::embedding_kind_from_name(options.pool);
  const auto pictures = find_pictures(options);
  Results results(options.out);
  const auto model = open_model(options);
  std::vector<Tensor> parts;
  std::vector<std::string> files;
  const int code = run_pictures(options, model, pictures, [&](const Step& step) {
    if (step.batch.indices.empty()) return;
    for (const auto index : step.batch.indices) files.push_back(step.paths[index].string());
    parts.push_back(tasks::embeddings(step.output, kind));
  });
  if (code == exit_interrupted) return code;
  if (files.size() < 2)
    throw Error(ErrorKind::input, fmt::format("two pictures are needed to compare, {} could be read", files.size()));
  const Tensor cosines = tasks::cosine_matrix(at::cat(parts, 0)).contiguous();
  options.json ? write_json(results, files, cosines) : write_table(results, files, cosines);
  results.close();
  return code;
}

}  // namespace nunchi::cli
