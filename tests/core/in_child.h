// core/in_child.h: runs a piece of a test in a child process, for what would change or kill the test program itself:
// other user ids, resource limits, signals.
//
//   EXPECT_EQ(in_child([] { drop_root(); return can_write("file") ? 1 : 0; }).exit_code, 0);
#pragma once

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/error.h"

namespace nunchi {

struct ChildEnd {
  std::optional<int> exit_code;  // empty: ended by a signal
  int signal = 0;
};

inline ChildEnd wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) return {.exit_code = WEXITSTATUS(status), .signal = 0};
  return {.exit_code = std::nullopt, .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

inline pid_t start_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child != 0) return child;
  int code = 99;
  try {
    code = body();
  } catch (const std::exception&) {
    code = 98;
  }
  _exit(code);
}

inline ChildEnd in_child(const std::function<int()>& body) { return wait_for(start_child(body)); }

// Root may read and write everything: a test of permissions goes on as the user "nobody".
inline void drop_root() {
  constexpr unsigned nobody = 65534;
  if (geteuid() != 0) return;
  if (setgroups(0, nullptr) != 0 || setgid(nobody) != 0 || setuid(nobody) != 0) throw std::runtime_error("setuid");
}

// The message of the Error that `body` throws, empty where it throws none.
inline std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace nunchi
