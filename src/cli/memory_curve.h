// cli/memory_curve.h: a picture of the memory that the tensors of a forward take.
#pragma once

#include <filesystem>

#include "tasks/profile.h"

namespace nunchi::cli {

// A step chart over the fastest run, as PNG or, where the path ends in .svg, as SVG.
void draw_memory_curve(const tasks::Profile& profile, const std::string& model, const std::filesystem::path& path);

}  // namespace nunchi::cli
