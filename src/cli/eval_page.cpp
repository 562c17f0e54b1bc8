#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/eval_report.h"
#include "draw/bar_chart.h"
#include "draw/figure.h"
#include "draw/heat_map_chart.h"
#include "draw/html_report.h"
#include "draw/line_chart.h"

namespace nunchi::cli {
namespace {

constexpr std::size_t most_in_matrix = 40;  // classes; beyond that its cells are dots
constexpr std::size_t most_confusions = 20, most_failures = 50;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

// The key numbers.
std::vector<draw::HtmlFigure> figures_of(const EvalReport& report, const PageWords& say) {
  const auto& result = report.result;
  std::vector<draw::HtmlFigure> figures = {
      {percent(result.top1.value),
       say("top-1 of {} pictures (95 % interval {:.2f} to {:.2f})", with_thousands(result.top1.total),
           100 * result.top1.low, 100 * result.top1.high)}};
  if (std::cmp_less(result.k, result.names.size()))
    figures.push_back({percent(result.top_k.value), fmt::format("top-{}", result.k)});
  figures.push_back({fmt::format("{:.3f}", result.macro.f1), say("F1, mean over the classes")});
  figures.push_back({fmt::format("{:.3f}", result.calibration.expected_error), say("expected calibration error")});
  return figures;
}

bool is_scored(const EvalReport& report, std::int64_t id) {
  return !report.mapping.classes[static_cast<std::size_t>(id)].empty();
}

void add_classes(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  draw::HtmlTable table{.head = {say("class"), say("pictures"), say("precision"), say("recall"), "F1"},
                        .sortable = true};
  for (const auto& score : report.result.classes) {
    if (!is_scored(report, score.id)) continue;
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

draw::LineChart calibration_chart(const EvalReport& report, const PageWords& say) {
  draw::Series bins{.name = say("this model")},
      right{.name = say("as sure as right"), .x = {0, 1}, .y = {0, 1}, .dashed = true};
  for (const auto& bin : report.result.calibration.bins) {
    if (bin.count == 0) continue;
    bins.x.push_back(bin.confidence);
    bins.y.push_back(bin.accuracy);
  }
  return {
      .x = {.title = say("how sure it was"), .least = 0, .greatest = 1, .format = draw::NumberFormat::percent},
      .y = {.title = say("how often it was right"), .least = 0, .greatest = 1, .format = draw::NumberFormat::percent},
      .series = {bins, right}};
}

std::string calibration_in_words(const EvalReport& report) {
  const auto& calibration = report.result.calibration;
  return fmt::format("ECE {:.4f}, MCE {:.4f} ({} bins), Brier {:.4f}, NLL {:.4f}.", calibration.expected_error,
                     calibration.maximum_error, calibration.bins.size(), calibration.brier,
                     calibration.negative_log_likelihood);
}

void add_calibration(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  page.heading(say("Calibration"));
  page.drawing(draw::drawing(calibration_chart(report, say)), say("how often it was right, by how sure it was"));
  page.paragraph(calibration_in_words(report));
}

void add_failures(draw::HtmlReport& page, const EvalReport& report, const PageWords& say) {
  if (report.failures.empty()) return;
  page.heading(say("Pictures that could not be read"));
  std::string list;
  for (std::size_t i = 0; i < std::min(most_failures, report.failures.size()); ++i)
    list += report.failures[i].second + "\n";
  page.code(list);
}

std::string stopped_in_words(const EvalReport& report, const PageWords& say) {
  return say("Stopped after {} of {} pictures.", with_thousands(report.result.top1.total),
             with_thousands(report.wanted));
}

// The scores of the classes; of many those with the least F1.
draw::BarChart classes_chart(const EvalReport& report, const PageWords& say) {
  constexpr std::size_t most = 30;
  std::vector<metrics::ClassScore> scores;
  for (const auto& score : report.result.classes)
    if (is_scored(report, score.id)) scores.push_back(score);
  draw::BarChart chart{.values = {.title = "F1", .least = 0, .greatest = 1}, .horizontal = true};
  if (scores.size() > most) {
    std::ranges::stable_sort(scores, {}, &metrics::ClassScore::f1);
    scores.resize(most);
    chart.subtitle = say("the {} classes with the least", most);
  }
  draw::Bars bars;
  for (const auto& score : scores) {
    chart.names.push_back(first_word(report.name_of(score.id)));
    bars.values.push_back(score.f1);
  }
  chart.series = {bars};
  return chart;
}

}  // namespace

std::string eval_page(const EvalReport& report) {
  const PageWords say(report.options.language);
  draw::HtmlReport page(say("How often it is right"),
                        say("{} on {}.", model_in_words(report, say), dataset_in_words(report, say)),
                        {.language = say.language()});
  if (report.stopped) page.note(stopped_in_words(report, say));
  page.figures(figures_of(report, say));
  add_classes(page, report, say);
  add_confusions(page, report, say);
  add_calibration(page, report, say);
  add_failures(page, report, say);
  page.footer(fmt::format("nunchi {}", NUNCHI_VERSION));
  return page.html();
}

std::vector<draw::Drawing> eval_sheets(const EvalReport& report) {
  const PageWords say(report.options.language);
  draw::Figure figure{.title = say("How often it is right"),
                      .subtitle = say("{} on {}.", model_in_words(report, say), dataset_in_words(report, say)),
                      .columns = 2,
                      .panel_width = 400,
                      .panel_height = 460};
  const auto add = [&](const std::string& title, std::function<void(draw::Canvas&, const draw::Rectangle&)> chart) {
    auto& panel = figure.panels.emplace_back();
    panel.title = title;
    panel.chart = std::move(chart);
  };
  add(say("Classes"), [chart = classes_chart(report, say)](draw::Canvas& canvas, const draw::Rectangle& room) {
    draw::draw_bar_chart(canvas, chart, room);
  });
  add(say("Calibration"), [chart = calibration_chart(report, say)](draw::Canvas& canvas, const draw::Rectangle& room) {
    draw::draw_line_chart(canvas, chart, room);
  });
  figure.panels.back().note = calibration_in_words(report);
  for (const auto& [value, name] : figures_of(report, say)) figure.notes.push_back(value + "  " + name);
  if (report.stopped) figure.notes.push_back(stopped_in_words(report, say));
  figure.footer = fmt::format("nunchi {}", NUNCHI_VERSION);
  std::vector<draw::Drawing> sheets = {draw::drawing(figure)};
  const auto columns = confusion_columns(report);
  if (columns.size() > most_in_matrix) return sheets;
  auto confusions = confusion_chart(report, columns, say);
  confusions.title = say("Confusions");
  sheets.push_back(draw::drawing(confusions));
  return sheets;
}

}  // namespace nunchi::cli
