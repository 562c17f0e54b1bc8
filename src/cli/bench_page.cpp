#include <fmt/format.h>

#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/short_duration.h"
#include "core/progress.h"
#include "draw/html_report.h"

namespace nunchi::cli {
namespace {

draw::HtmlTable table_of(const BenchRun& run, const BenchedModel& model, const PageWords& say) {
  using enum draw::HtmlBest;
  draw::HtmlTable table{.head = {say("precision, batch"), say("fastest"), say("median"), say("pictures/s"),
                                 say("of peak"), say("first call"), say("load"), say("memory")},
                        .best = {none, none, none, greatest, none, none, none, least},
                        .sortable = true};
  for (const auto& m : model.measured) {
    const auto& r = m.result;
    const auto name = fmt::format("{}, {}", m.precision, m.batch);
    if (!r.error.empty()) {
      table.rows.push_back({name, "-", "-", "-", "-", "-", "-", r.error});
      table.numbers.emplace_back(table.head.size(), draw::no_number);
      continue;
    }
    const auto share = run.share_of_peak(model, m);
    table.rows.push_back({name, short_duration(r.at(0)), short_duration(r.at(0.5)),
                          fmt::format("{:.1f}", m.pictures_per_second()), in_words(share),
                          short_duration(r.first_seconds), short_duration(r.load_seconds),
                          format_bytes(r.peak_memory)});
    table.numbers.push_back({draw::no_number, r.at(0), r.at(0.5), m.pictures_per_second(),
                             share.value_or(draw::no_number), r.first_seconds, r.load_seconds,
                             static_cast<double>(r.peak_memory)});
  }
  return table;
}

}  // namespace

std::string bench_page(const BenchRun& run, const draw::Drawing& drawing, const PageWords& say) {
  draw::HtmlReport page(say("How fast it is"),
                        say("Measured on {}. The network alone, on random pixels.", machine_in_words(run.threads, say)),
                        {.language = say.language()});
  page.drawing(drawing, say("pictures a second and time of a call"));
  const auto names = short_names(run.models);
  for (std::size_t i = 0; i < run.models.size(); ++i) {
    const auto& model = run.models[i];
    page.heading(names[i]);
    page.paragraph(model.in_words(say));
    page.table(table_of(run, model, say));
  }
  page.definitions(
      {{say("fastest, median"), say("of the calls for one batch")},
       {say("of peak"), say("the share of the operations a second that this processor can do in this precision "
                            "(nunchi doctor --peak)")},
       {say("memory"), say("the peak of a process of its own, LibTorch included")}});
  page.footer(fmt::format("nunchi {}", NUNCHI_VERSION));
  return page.html();
}

}  // namespace nunchi::cli
