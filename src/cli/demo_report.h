// cli/demo_report.h: what `nunchi demo` found, and the HTML page that shows it.
#pragma once

#include <optional>

#include "cli/options.h"
#include "cli/page_words.h"
#include "tasks/demo.h"
#include "tasks/measure.h"

namespace nunchi::cli {

struct DemoTimes {
  double start_up = 0;  // seconds from the start of the process until it could work
  int threads = 1;
  tasks::Measurement fp32, bf16;  // each in a process of its own
};

// Whether there is anything to show of it.
inline bool succeeded(const tasks::Measurement& measured) {
  return measured.error.empty() && !measured.seconds.empty();
}

struct DemoReport {
  std::string model;                // as the user names it
  std::vector<std::string> labels;  // of its classes
  std::int64_t parameters = 0;
  tasks::DemoRun run;
  // Attention maps of another model where `model` has none.
  std::string attention_model = {};
  std::optional<tasks::DemoRun> attention_run = {};
  DemoTimes times;
};

// What to try next: what it is for, and the command.
std::vector<std::pair<std::string, std::string>> next_steps(const PageWords& say = PageWords());

std::string demo_html(const DemoReport& report, const PageWords& say);

std::string milliseconds(double seconds);  // "4.21 ms", "312 ms"

}  // namespace nunchi::cli
