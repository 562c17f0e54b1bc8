// cli/terminal.h: a pseudo-terminal in the place of a program's standard error, or input: what a user sees and types.
//
//   Terminal terminal;
//   terminal.type("y\n");
//   run_program({"demo"}, {.stdin_path = terminal.path(), .stderr_path = terminal.path()});
//   EXPECT_THAT(terminal.seen(), HasSubstr("[y/N]"));
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace nunchi::cli {

class Terminal {
 public:
  Terminal() : ours_(posix_openpt(O_RDWR | O_NOCTTY)) {
    if (ours_ < 0 || grantpt(ours_) != 0 || unlockpt(ours_) != 0) throw std::runtime_error("no pseudo-terminal");
    path_ = ptsname(ours_);
    kept_open_ = open(path_.c_str(), O_RDWR | O_NOCTTY);  // what is unread is lost with the last writer
    fcntl(ours_, F_SETFL, O_NONBLOCK);
  }
  ~Terminal() { close(kept_open_), close(ours_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  const std::string& path() const { return path_; }

  void type(const std::string& text) {
    if (write(ours_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw std::runtime_error("typing");
  }

  // Since the last call.
  std::string seen() {
    std::string text(1 << 14, '\0');
    const auto count = read(ours_, text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

 private:
  int ours_, kept_open_;
  std::string path_;
};

}  // namespace nunchi::cli
