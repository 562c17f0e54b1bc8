#include "tasks/forward.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/commands.h"

namespace nunchi::cli {
namespace {

std::optional<image::Size> parse_size(const std::string& text) {
  if (text.empty()) return std::nullopt;
  image::Size size;
  const char* end = text.data() + text.size();
  const auto height = std::from_chars(text.data(), end, size.height);
  const bool separated = height.ec == std::errc() && height.ptr != end && (*height.ptr == 'x' || *height.ptr == 'X');
  const auto width = separated ? std::from_chars(height.ptr + 1, end, size.width) : height;
  if (!separated || width.ec != std::errc() || width.ptr != end || size.height < 1 || size.width < 1) {
    throw Error(ErrorKind::usage, fmt::format("--size {}: expected HEIGHTxWIDTH, such as 224x320", text));
  }
  return size;
}

}  // namespace

int forward(const Options& options) {
  const auto size = parse_size(options.size);
  const auto model = open_model(options);
  const auto outputs = tasks::forward_outputs(model, {.image = options.images.front(), .size = size});
  tasks::write_outputs(options.out, outputs);
  if (options.quiet) return 0;
  for (const auto& [name, value] : outputs) remark(fmt::format("{:<20} {}", name, to_string(value.sizes())));
  return 0;
}

}  // namespace nunchi::cli
