// The program: parses the command line and loads libnunchi.so for work. LibTorch costs 0.24 s and 108 MB before
// anything runs, so what does not need it (help, usage errors, completion) is answered here.
#include <dlfcn.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/options.h"

namespace {

using nunchi::cli::Options;
using nunchi::cli::RunFunction;

// Standard output may be closed or full: an answer that nobody got is a failure.
int print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) std::fprintf(stderr, "nunchi: standard output cannot be written: %s\n", std::strerror(errno));
  return written ? 0 : 1;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {  // --help, --version
    return print(error.get_name() == "CallForVersion" ? app.version() + "\n" : app.help());
  }
  const std::string reason = app.get_subcommands().empty() ? nunchi::cli::no_command(app) : error.what();
  std::fprintf(stderr, "nunchi: %s\nTry: nunchi --help, nunchi COMMAND --help\n", reason.c_str());
  return 2;
}

int run(const Options& options) {
  void* library = dlopen("libnunchi.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(
        stderr,
        "nunchi: its library cannot be loaded: %s\nIt belongs in ../lib beside the program; build or install again.\n",
        dlerror());
    return 1;
  }
  auto* function = reinterpret_cast<RunFunction*>(dlsym(library, "nunchi_run"));
  if (function == nullptr) {
    std::fprintf(stderr, "nunchi: libnunchi.so is of another version: %s\n", dlerror());
    return 1;
  }
  return function(options);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto app = nunchi::cli::make_app(options);
  try {
    auto words = nunchi::cli::words_of(argc, argv);
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app->parse(std::move(words));
    if (options.command == "completion") return print(nunchi::cli::completion_script(*app, options.inputs.front()));
    nunchi::cli::settle_model(options);
  } catch (const CLI::ParseError& error) {
    return usage_error(*app, error);
  }
  // LibTorch's destructors take time and free nothing that the system does not: leave without them.
  const int code = run(options);
  std::fflush(nullptr);
  std::_Exit(code);
}
