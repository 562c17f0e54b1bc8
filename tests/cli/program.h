// cli/program.h: runs the program as a child process and keeps what it wrote, how it ended and how long it took.
//
//   const auto run = run_program({"classify", model, "cat.png"});
//   EXPECT_EQ(run.exit_code, 0) << run.err;
//   EXPECT_THAT(run.out, HasSubstr("cat"));
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/in_child.h"

namespace nunchi::cli {

struct ProgramRun {
  std::optional<int> exit_code;  // empty: ended by a signal
  int signal = 0;
  std::string out, err;
  double seconds = 0;
};

struct ProgramOptions {
  std::map<std::string, std::string> environment = {};
  std::filesystem::path folder = {};  // to run in
  std::filesystem::path program = NUNCHI_BUILD_DIR "/bin/nunchi";
  std::string stdin_path = {};                        // read from there; empty: an end that stays open and silent
  std::string stdout_path = {}, stderr_path = {};     // written there instead of being kept
  int most_silent_seconds = 60;                       // then it is killed: a test must not hang with the program
  std::optional<rlim_t> largest_file = std::nullopt;  // bytes: a write beyond it fails as on a full disk
  bool as_nobody = false;                             // without root's rights
  // Called with all that it wrote so far; false closes its standard output, as `| head` does.
  std::function<bool(const ProgramRun& so_far, pid_t child)> on_output = {};
};

namespace detail {

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    read_end = ends[0], write_end = ends[1];
  }
  ~Pipe() { close_read(), close_write(); }
  void close_read() { close_end(read_end); }
  void close_write() { close_end(write_end); }

 private:
  static void close_end(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
};

// In the child; returns only where the program cannot be started. Standard input would block a program that reads it.
inline int execute(const std::vector<std::string>& arguments, const ProgramOptions& options, int in, int out, int err) {
  if (!options.stdin_path.empty()) in = open(options.stdin_path.c_str(), O_RDONLY | O_NOCTTY);
  if (!options.stdout_path.empty()) out = open(options.stdout_path.c_str(), O_WRONLY | O_CREAT, 0644);
  if (!options.stderr_path.empty()) err = open(options.stderr_path.c_str(), O_WRONLY | O_NOCTTY);
  dup2(in, 0), dup2(out, 1), dup2(err, 2);
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  if (!options.folder.empty()) std::filesystem::current_path(options.folder);
  if (options.largest_file) {
    const rlimit limit{*options.largest_file, *options.largest_file};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (options.as_nobody) drop_root();
  std::string program = options.program.string();
  std::vector<char*> words = {program.data()};
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  execv(program.c_str(), words.data());
  return 97;
}

// Reads both pipes until the child has closed them.
inline void drain(Pipe& out, Pipe& err, ProgramRun& run, const ProgramOptions& options, pid_t child) {
  char buffer[1 << 14];
  const auto take = [&](Pipe& pipe, std::string& text) {
    const auto count = read(pipe.read_end, buffer, sizeof buffer);
    if (count > 0)
      text.append(buffer, static_cast<std::size_t>(count));
    else
      pipe.close_read();
    return count > 0;
  };
  while (out.read_end >= 0 || err.read_end >= 0) {
    pollfd ends[2] = {{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}};
    if (poll(ends, 2, 1000 * options.most_silent_seconds) <= 0) {
      kill(child, SIGKILL);
      return;
    }
    if (ends[0].revents != 0) take(out, run.out);
    if (ends[1].revents != 0) take(err, run.err);
    if (options.on_output && !options.on_output(run, child)) out.close_read();
  }
}

}  // namespace detail

inline ProgramRun run_program(const std::vector<std::string>& arguments, const ProgramOptions& options = {}) {
  detail::Pipe in, out, err;
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child =
      start_child([&] { return detail::execute(arguments, options, in.read_end, out.write_end, err.write_end); });
  out.close_write(), err.close_write();
  ProgramRun run;
  detail::drain(out, err, run, options, child);
  const auto end = wait_for(child);
  run.exit_code = end.exit_code, run.signal = end.signal;
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return run;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace nunchi::cli
