#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/eval_report.h"
#include "draw/heat_map_chart.h"
#include "draw/html_report.h"
#include "draw/line_chart.h"

namespace nunchi::cli {
namespace {

constexpr std::size_t most_in_matrix = 40;  // classes; beyond that its cells are dots
constexpr std::size_t most_confusions = 20, most_failures = 50;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

void add_figures(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  const auto& result = report.result;
  std::vector<draw::HtmlFigure> figures = {
      {percent(result.top1.value),
       say("top-1 of {} pictures (95 % interval {:.2f} to {:.2f})", with_thousands(result.top1.total),
           100 * result.top1.low, 100 * result.top1.high)}};
  if (std::cmp_less(result.k, result.names.size()))
    figures.push_back({percent(result.top_k.value), fmt::format("top-{}", result.k)});
  figures.push_back({fmt::format("{:.3f}", result.macro.f1), say("F1, mean over the classes")});
  figures.push_back({fmt::format("{:.3f}", result.calibration.expected_error), say("expected calibration error")});
  page.figures(figures);
}

void add_classes(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  draw::HtmlTable table{.head = {say("class"), say("pictures"), say("precision"), say("recall"), "F1"},
                        .sortable = true};
  for (const auto& score : report.result.classes) {
    if (report.mapping.classes[static_cast<std::size_t>(score.id)].empty()) continue;
    table.rows.push_back({class_in_words(report, score.id, say), with_thousands(score.support),
                          fmt::format("{:.4f}", score.precision), fmt::format("{:.4f}", score.recall),
                          fmt::format("{:.4f}", score.f1)});
  }
  page.heading(say("Classes"));
  page.table(table);
}

// Each row in shares of its class, so that rare classes show as much as frequent ones.
draw::HeatMapChart confusion_chart(const EvalReport& report, const std::vector<std::int64_t>& columns,
                                   const PageWords& say) {
  draw::HeatMapChart chart{.rows_title = say("is"),
                           .columns_title = say("was taken for"),
                           .least = 0,
                           .greatest = 1,
                           .color_bar_title = say("share of the class"),
                           .decimals = 0,
                           .format = draw::NumberFormat::percent};
  for (const auto id : columns) chart.columns.push_back(first_word(report.name_of(id)));
  for (const auto& score : report.result.classes) {
    chart.rows.push_back(first_word(report.name_of(score.id)));
    for (const auto id : columns)
      chart.values.push_back(static_cast<double>(report.result.confusion.at(score.id, id)) /
                             static_cast<double>(std::max<std::int64_t>(1, score.support)));
  }
  return chart;
}

void add_confusions(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  page.heading(say("Confusions"));
  const auto columns = confusion_columns(report);
  if (columns.size() <= most_in_matrix)
    page.drawing(draw::drawing(confusion_chart(report, columns, say)), say("the confusion matrix"));
  draw::HtmlTable table{.head = {say("most frequent"), say("pictures")}};
  for (const auto& confusion : report.result.confusion.most_frequent(most_confusions))
    table.rows.push_back(
        {say("{} taken for {}", report.name_of(confusion.truth), first_word(report.name_of(confusion.predicted))),
         with_thousands(confusion.count)});
  if (!table.rows.empty()) page.table(table);
}

void add_calibration(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  const auto& calibration = report.result.calibration;
  draw::Series bins{.name = say("this model")},
      right{.name = say("as sure as right"), .x = {0, 1}, .y = {0, 1}, .dashed = true};
  for (const auto& bin : calibration.bins) {
    if (bin.count == 0) continue;
    bins.x.push_back(bin.confidence);
    bins.y.push_back(bin.accuracy);
  }
  const draw::LineChart chart{
      .x = {.title = say("how sure it was"), .least = 0, .greatest = 1, .format = draw::NumberFormat::percent},
      .y = {.title = say("how often it was right"), .least = 0, .greatest = 1, .format = draw::NumberFormat::percent},
      .series = {bins, right}};
  page.heading(say("Calibration"));
  page.drawing(draw::drawing(chart), say("how often it was right, by how sure it was"));
  page.paragraph(fmt::format("ECE {:.4f}, MCE {:.4f} ({} bins), Brier {:.4f}, NLL {:.4f}.", calibration.expected_error,
                             calibration.maximum_error, calibration.bins.size(), calibration.brier,
                             calibration.negative_log_likelihood));
}

void add_failures(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  if (report.failures.empty()) return;
  page.heading(say("Pictures that could not be read"));
  std::string list;
  for (std::size_t i = 0; i < std::min(most_failures, report.failures.size()); ++i)
    list += report.failures[i].second + "\n";
  page.code(list);
}

}  // namespace

std::string eval_page(const EvalReport& report) {
  const PageWords say(report.options.language);
  draw::HtmlReport page(say("How often it is right"),
                        say("{} on {}.", model_in_words(report, say), dataset_in_words(report, say)),
                        {.language = say.language()});
  if (report.stopped) {
    page.note(say("Stopped after {} of {} pictures.", with_thousands(report.result.top1.total),
                  with_thousands(report.wanted)));
  }
  add_figures(page, report, say);
  add_classes(page, report, say);
  add_confusions(page, report, say);
  add_calibration(page, report, say);
  add_failures(page, report, say);
  page.footer(fmt::format("nunchi {}", NUNCHI_VERSION));
  return page.html();
}

}  // namespace nunchi::cli
