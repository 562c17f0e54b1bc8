#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"

namespace nunchi::cli {

namespace fs = std::filesystem;

void check_place(const std::string& path) {
  std::error_code error;
  const auto folder = fs::path(path).parent_path();
  if (fs::is_directory(path, error))
    throw Error(ErrorKind::input, fmt::format("{}: cannot be written: it is a folder", path));
  if (!folder.empty() && !fs::is_directory(folder, error)) {
    throw Error(ErrorKind::input,
                fmt::format("{}: cannot be written: there is no folder {}; make it first", path, folder.string()));
  }
}

Results::Results(std::string path) : path_(std::move(path)) {
  if (!path_.empty()) check_place(path_);
}

Results::~Results() {
  if (!closed_ && path_.empty()) std::fflush(stdout);
}

void Results::line(std::string_view text) {
  if (!path_.empty()) {
    collected_.append(text).push_back('\n');
    return;
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                       std::fputc('\n', stdout) != EOF && std::fflush(stdout) == 0;
  if (!written && errno == EPIPE) throw ReaderLeft();
  if (!written)
    throw Error(ErrorKind::input, fmt::format("standard output cannot be written: {}", std::strerror(errno)));
}

void Results::close() {
  closed_ = true;
  if (!path_.empty()) write_file(path_, collected_);
}

ProgressLine::ProgressLine(const std::string& title, const std::string& unit, bool quiet)
    : meter_(title, unit), visible_(!quiet && isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(std::int64_t done, std::int64_t total, const std::string& note) {
  const auto now = Clock::now();
  if (!visible_ || now - last_ < std::chrono::milliseconds(150)) return;
  last_ = now;
  const auto text = meter_.line(done, total, std::chrono::duration<double>(now - start_).count());
  fmt::print(stderr, "\r{}{}\x1b[K", text, note);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressLine::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

void remark(std::string_view text) { fmt::print(stderr, "nunchi: {}\n", text); }

}  // namespace nunchi::cli
