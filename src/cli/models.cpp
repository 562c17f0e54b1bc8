#include <fmt/format.h>

#include "cli/commands.h"
#include "models/registry.h"

namespace nunchi::cli {

int models(const Options& options) {
  Results results("");
  if (!options.json) results.line("Checkpoints of transformers (model_type in config.json):");
  for (const auto& architecture : nunchi::models::architectures()) {
    if (options.json) {
      results.line(json_line(
          {{"model_type", architecture.model_type}, {"paper", architecture.paper}, {"classes", architecture.classes}}));
    } else {
      results.line(fmt::format("  {:<24}{:<26}{}", architecture.model_type, architecture.paper, architecture.classes));
    }
  }
  if (!options.json) results.line("\nPresets (--arch, for a .safetensors file under timm's names), at their own size:");
  for (const auto& preset : nunchi::models::presets()) {
    const auto model = preset.build();
    const auto shape = model->input_shape();
    const auto parameters = model->parameter_count(), macs = nunchi::models::count_macs(*model, shape);
    if (options.json) {
      results.line(
          json_line({{"preset", preset.name}, {"paper", preset.paper}, {"parameters", parameters}, {"macs", macs}}));
    } else {
      results.line(fmt::format("  {:<36}{:>15} parameters  {:>8.2f} GFLOP  {} pixels  {} classes", preset.name,
                               with_thousands(parameters), 2 * static_cast<double>(macs) / 1e9, shape[1],
                               model->classes()));
    }
  }
  return 0;
}

}  // namespace nunchi::cli
