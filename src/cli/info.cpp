#include "tasks/info.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "core/progress.h"

namespace nunchi::cli {
namespace {

Json as_json(const tasks::ModelInfo& info) {
  return {{"model_type", info.type},
          {"class", info.arch_class},
          {"parameters", info.parameters},
          {"macs", info.macs},
          {"flops", 2 * info.macs},
          {"input_shape", info.input_shape},
          {"classes", info.classes},
          {"weight_bytes", info.weight_bytes},
          {"weight_dtypes", info.weight_dtypes},
          {"tensors", info.tensors},
          {"files", info.files},
          {"transform", info.transform}};
}

std::string cost(std::int64_t macs) {
  const bool small = macs < 10'000'000;
  const double count = static_cast<double>(macs) / (small ? 1e6 : 1e9);
  const char unit = small ? 'M' : 'G';
  return fmt::format("{:.2f} {}MAC ({:.2f} {}FLOP) a picture", count, unit, 2 * count, unit);
}

void write_text(Results& results, const tasks::ModelInfo& info) {
  const auto line = [&](const char* name, const std::string& text) {
    results.line(text.empty() ? name : fmt::format("{:<12}{}", name, text));
  };
  line("model", info.arch_class.empty() ? info.type : fmt::format("{} ({})", info.type, info.arch_class));
  line("parameters", with_thousands(info.parameters));
  line("cost", cost(info.macs));
  line("input", fmt::format("{} (channels, height, width)", to_string(info.input_shape)));
  line("classes", info.classes > 0 ? with_thousands(info.classes) : "none: a backbone");
  line("weights", fmt::format("{} in {} tensors, {}, {} file{}", format_bytes(info.weight_bytes), info.tensors,
                              info.weight_dtypes, info.files, info.files == 1 ? "" : "s"));
  line("transform", info.transform.empty() ? "not known: there is no preprocessor_config.json" : "");
  for (std::size_t begin = 0; begin < info.transform.size();) {
    const auto end = std::min(info.transform.find('\n', begin), info.transform.size());
    if (end > begin) results.line("  " + info.transform.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

int info(const Options& options) {
  const auto described = tasks::describe_model(model_source(options));
  Results results("");
  options.json ? results.line(json_line(as_json(described))) : write_text(results, described);
  return 0;
}

}  // namespace nunchi::cli
