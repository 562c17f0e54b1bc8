// cli/explain_report.h: what `explain` found, as a figure for each picture and one page for all.
//
//   const ExplainStyle style{.colors = draw::ColorMap::turbo, .say = PageWords(draw::Language::english)};
//   draw::write_drawing("cat.png", explain_figure({"cat.jpg", explained}, style));
//   write_file("explain.html", explain_page(model, "vit-base", pictures, style));
#pragma once

#include <optional>

#include "cli/page_words.h"
#include "draw/color_map.h"
#include "draw/drawing.h"
#include "explain/explained.h"

namespace nunchi::cli {

struct ExplainStyle {
  draw::ColorMap colors;
  PageWords say;
  draw::Theme theme = draw::light_theme;  // of the figures
};

struct ExplainedFile {
  std::filesystem::path path;
  explain::ExplainedPicture explained;

  std::string name() const { return path.filename().string(); }
};

// "cat 62.1 %", "cat 62.1 % rather than dog"; empty of a model without classes.
std::string title_of(const explain::ExplainedClass& shown, const PageWords& say);

// The picture, and beside it one heat map for each method; of a single method the map alone, too. Of several classes a
// column for each, and a row for each method.
draw::Drawing explain_figure(const ExplainedFile& file, const ExplainStyle& style);

// Every head of the last block, with how widely and how far it looks. Nothing where the model has no such weights.
std::optional<draw::Drawing> heads_figure(const ExplainedFile& file, const ExplainStyle& style);

// The same with sliders, the heads of all blocks, and a table of the scores.
std::string explain_page(const tasks::VisionModel& model, const std::string& model_name,
                         const std::vector<ExplainedFile>& files, const ExplainStyle& style);

}  // namespace nunchi::cli
