// The entry of libnunchi.so for the program: runs one command, and turns every failure into one line and an exit code.
#include <ATen/Parallel.h>

#include <csignal>
#include <map>

#include "cli/commands.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "engine/errors.h"
#include "tasks/bundled_models.h"

namespace nunchi::cli {
namespace {

// The first Ctrl-C stops at the next good place, the second at once.
void stop_on_signals() {
  const auto handler = [](int signal) {
    request_stop();
    std::signal(signal, SIG_DFL);
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
  std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves, as `| head` does, is an error of writing
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file at the limit of its size
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return 2;
    case ErrorKind::model:
      return exit_model;
    case ErrorKind::interrupted:
      return exit_interrupted;
    default:
      return 1;
  }
}

Options with_bundled_model(Options options) {
  if (options.bundled) options.model = tasks::default_bundled_model();
  return options;
}

int dispatch(const Options& options) {
  static const std::map<std::string, int (*)(const Options&)> commands = {
      {"classify", classify}, {"embed", embed},       {"similar", similar}, {"eval", eval},
      {"compare", compare},   {"forward", forward},   {"parity", parity},   {"info", info},
      {"walk", walk},         {"models", models},     {"convert", convert}, {"pull", pull},
      {"cache", cache},       {"doctor", doctor},     {"version", version}, {"train", train},
      {"demo", demo},         {"bench", bench},       {"profile", profile}, {"quantize", quantize},
      {"explain", explain},   {"features", features}, {"graph", graph},
  };
  return commands.at(options.command)(options);
}

}  // namespace

extern "C" NUNCHI_API int nunchi_run(const Options& options) {
  stop_on_signals();
  set_log_sink([&](LogLevel level, std::string_view message) {
    if (options.quiet || (level != LogLevel::warning && !options.verbose)) return;
    remark(message);
  });
  try {
    show_pulls(options);
    if (options.threads > 0) at::set_num_threads(options.threads);
    try {
      return dispatch(with_bundled_model(options));
    } catch (const ReaderLeft&) {
      return exit_some_failed;
    } catch (...) {
      engine::rethrow_as_error();
    }
  } catch (const Error& error) {
    remark(error.what());
    return exit_code(error.kind());
  }
}

}  // namespace nunchi::cli
