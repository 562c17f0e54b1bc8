#include <fmt/format.h>

#include <limits>

#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/short_duration.h"
#include "core/isa.h"
#include "core/progress.h"
#include "draw/html_report.h"

namespace nunchi::cli {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

draw::HtmlTable table_of(const BenchRun& run, const BenchedModel& model) {
  using enum draw::HtmlBest;
  draw::HtmlTable table{
      .head = {"precision, batch", "fastest", "median", "pictures/s", "of peak", "first call", "load", "memory"},
      .best = {none, none, none, greatest, none, none, none, least},
      .sortable = true};
  for (const auto& m : model.measured) {
    const auto& r = m.result;
    const auto name = fmt::format("{}, {}", m.precision, m.batch);
    if (!r.error.empty()) {
      table.rows.push_back({name, "-", "-", "-", "-", "-", "-", r.error});
      table.numbers.emplace_back(table.head.size(), not_a_number);
      continue;
    }
    const auto share = run.share_of_peak(model, m);
    table.rows.push_back({name, short_duration(r.at(0)), short_duration(r.at(0.5)),
                          fmt::format("{:.1f}", m.pictures_per_second()),
                          share ? fmt::format("{:.0f} %", 100 * *share) : "-", short_duration(r.first_seconds),
                          short_duration(r.load_seconds), format_bytes(r.peak_memory)});
    table.numbers.push_back({not_a_number, r.at(0), r.at(0.5), m.pictures_per_second(), share.value_or(not_a_number),
                             r.first_seconds, r.load_seconds, static_cast<double>(r.peak_memory)});
  }
  return table;
}

}  // namespace

std::string bench_page(const BenchRun& run, const draw::Drawing& drawing) {
  draw::HtmlReport page("How fast it is", fmt::format("Measured on {}, threads: {}, kernels: {}. The network alone, on "
                                                      "random pixels.",
                                                      cpu_info().brand, run.threads, isa_name(chosen_isa())));
  page.picture({draw::svg_uri(draw::svg_of(drawing)), "pictures a second and time of a call"});
  const auto names = short_names(run.models);
  for (std::size_t i = 0; i < run.models.size(); ++i) {
    const auto& model = run.models[i];
    page.heading(names[i]);
    page.paragraph(fmt::format("{} parameters, {:.3g} GFLOP a picture of {}", with_thousands(model.info.parameters),
                               model.gflop(), to_string(model.info.input_shape)));
    page.table(table_of(run, model));
  }
  page.definitions({{"fastest, median", "of the calls for one batch"},
                    {"of peak",
                     "the share of the operations a second that this processor can do in this precision "
                     "(nunchi doctor --peak)"},
                    {"memory", "the peak of a process of its own, LibTorch included"}});
  page.footer(fmt::format("nunchi {}", NUNCHI_VERSION));
  return page.html();
}

}  // namespace nunchi::cli
