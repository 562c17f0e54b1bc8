#include "cli/memory_curve.h"

#include <fmt/format.h>

#include "core/file.h"
#include "core/progress.h"
#include "draw/line_chart.h"

namespace nunchi::cli {

void draw_memory_curve(const tasks::Profile& profile, const std::string& model, const std::filesystem::path& path) {
  const auto& forward = profile.forward.slices.front();
  draw::Series memory{.name = "", .x = {0}, .y = {0}};
  const auto add = [&](std::int64_t time, double megabytes) {
    memory.x.push_back(1e-6 * static_cast<double>(time - forward.begin));
    memory.y.push_back(megabytes);
  };
  for (const auto& point : profile.forward.memory) {
    if (point.time > forward.end) break;  // the answer is let go
    add(point.time, memory.y.back());
    add(point.time, 1e-6 * static_cast<double>(point.bytes));
  }
  add(forward.end, memory.y.back());
  const draw::LineChart chart{.title = model,
                              .subtitle = fmt::format("tensors of one forward, beside weights and input: {} at most{}",
                                                      format_bytes(static_cast<std::uint64_t>(profile.peak.bytes)),
                                                      profile.peak.op.empty() ? "" : ", in " + profile.peak.op),
                              .x = {.title = "ms"},
                              .y = {.title = "MB", .least = 0},
                              .series = {std::move(memory)}};
  draw::write_drawing(path, draw::drawing(chart));
}

}  // namespace nunchi::cli
