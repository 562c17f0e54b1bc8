#include "tasks/forward.h"

#include <fmt/format.h>

#include "cli/commands.h"

namespace nunchi::cli {
int forward(const Options& options) {
  check_place(options.out);
  const auto model = open_model(options);
  std::optional<image::Size> size;
  if (options.size) size = {options.size->height, options.size->width};
  const auto outputs = tasks::forward_outputs(model, {.image = options.images.front(), .size = size});
  tasks::write_outputs(options.out, outputs);
  if (options.quiet) return 0;
  for (const auto& [name, value] : outputs) remark(fmt::format("{:<20} {}", name, to_string(value.sizes())));
  return 0;
}

}  // namespace nunchi::cli
