#include "core/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/error.h"

namespace nunchi {
namespace {

[[noreturn]] void fail(const char* what) {
  throw Error(ErrorKind::internal,
              fmt::format("a child process could not be started: {}: {}", what, std::strerror(errno)));
}

// In the child. _exit leaves what the parent holds in its buffers alone.
[[noreturn]] void answer(int pipe_end, const std::function<std::string()>& work) {
  const std::string output = work();
  std::size_t written = 0;
  while (written < output.size()) {
    const auto count = write(pipe_end, output.data() + written, output.size() - written);
    if (count <= 0 && errno != EINTR) _exit(1);
    if (count > 0) written += static_cast<std::size_t>(count);
  }
  _exit(0);
}

std::string read_all(int pipe_end) {
  std::string text;
  std::array<char, 1 << 14> block;
  for (;;) {
    const auto count = read(pipe_end, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

ChildResult run_in_child(const std::function<std::string()>& work) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  std::fflush(nullptr);  // or the child would write it once more
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]), close(ends[1]);
    fail("fork");
  }
  if (child == 0) {
    close(ends[0]);
    answer(ends[1], work);
  }
  close(ends[1]);
  ChildResult result;
  result.output = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  result.finished = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  result.peak_memory = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return result;
}

}  // namespace nunchi
