// cli/terminal.h: the only place that writes to the terminal: results to standard output (or --out), the rest to
// standard error.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "core/progress.h"

namespace nunchi::cli {

// Thrown where the reader of standard output has left, as `| head` does: the program ends, and there is nobody to tell.
struct ReaderLeft {};

// Results, line by line. With a path they are written to a temporary file, which close() renames: nothing is left half.
// Throws Error (input) where standard output or the file cannot be written.
class Results {
 public:
  explicit Results(std::string path);
  ~Results();
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  void line(std::string_view text);
  void close();

 private:
  std::string path_, collected_;
  bool closed_ = false;
};

// Throws Error (input) where no file can be made at `path`: to be found before the work and not after it.
void check_place(const std::string& path);

// One progress line on standard error, renewed a few times a second; nothing where that is no terminal or with --quiet.
class ProgressLine {
 public:
  ProgressLine(const std::string& title, const std::string& unit, bool quiet);
  ~ProgressLine();
  void show(std::int64_t done, std::int64_t total, const std::string& note = "");  // the note comes last
  void clear();  // before other text goes to the terminal

 private:
  using Clock = std::chrono::steady_clock;
  ProgressMeter meter_;
  bool visible_, drawn_ = false;
  Clock::time_point start_ = Clock::now(), last_{};
};

void remark(std::string_view text);  // "nunchi: TEXT" to standard error

}  // namespace nunchi::cli
