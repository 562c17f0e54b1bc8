#include "cli/training_curve.h"

#include <sstream>

#include "core/file.h"
#include "core/json.h"
#include "draw/line_chart.h"

namespace nunchi::cli {
namespace {

constexpr std::uint64_t max_bytes = 1u << 30;

void add(draw::Series& series, const Json& epoch, const Json& of, const char* field) {
  if (!of.contains(field)) return;
  series.x.push_back(epoch.at("epoch").get<double>());
  series.y.push_back(of.at(field).get<double>());
}

}  // namespace

void draw_training_curve(const std::filesystem::path& run) {
  draw::Series loss{.name = "training loss", .x = {}, .y = {}},
      validation_loss{.name = "validation loss", .x = {}, .y = {}};
  draw::Series accuracy{.name = "training accuracy", .x = {}, .y = {}, .on_second_y = true},
      top1{.name = "validation accuracy", .x = {}, .y = {}, .on_second_y = true};
  std::istringstream lines(read_file(run / "journal.jsonl", max_bytes));
  for (std::string line; std::getline(lines, line);) {
    const Json json = parse_json(line, (run / "journal.jsonl").string());
    if (json.value("kind", "") != "epoch") continue;
    add(loss, json, json, "loss");
    add(accuracy, json, json, "accuracy");
    const Json validation = json.value("validation", Json::object());
    add(validation_loss, json, validation, "loss");
    add(top1, json, validation, "top1");
  }
  draw::LineChart chart{
      .title = std::filesystem::absolute(run).filename().string(),
      .x = {.title = "epoch", .whole_numbers = true},
      .y = {.title = "loss", .least = 0},
      .second_y = {.title = "accuracy", .least = 0, .greatest = 1, .format = draw::NumberFormat::percent}};
  for (auto* series : {&loss, &validation_loss, &accuracy, &top1})
    if (!series->x.empty()) chart.series.push_back(std::move(*series));
  draw::write_drawing(run / "curve.png", draw::drawing(chart));
}

}  // namespace nunchi::cli
