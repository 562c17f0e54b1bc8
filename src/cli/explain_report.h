// cli/explain_report.h: what `explain` found, as a figure for each picture and one page for all.
//
//   draw::write_drawing("cat.png", explain_figure("cat.jpg", explained, draw::ColorMap::turbo));
//   write_file("explain.html", explain_page(model, pictures, draw::ColorMap::turbo));
#pragma once

#include <optional>

#include "draw/color_map.h"
#include "draw/drawing.h"
#include "explain/explained.h"

namespace nunchi::cli {

struct ExplainedFile {
  std::string name;
  explain::ExplainedPicture explained;
};

// The picture, and beside it one heat map for each method; a row for each class.
draw::Drawing explain_figure(const ExplainedFile& file, draw::ColorMap colors);

// Every head of the last block, with how widely and how far it looks. Nothing where the model has no such weights.
std::optional<draw::Drawing> heads_figure(const ExplainedFile& file, draw::ColorMap colors);

// The same with sliders, the heads of all blocks, and a table of the scores.
std::string explain_page(const tasks::VisionModel& model, const std::string& model_name,
                         const std::vector<ExplainedFile>& files, draw::ColorMap colors);

}  // namespace nunchi::cli
