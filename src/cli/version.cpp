#include <ATen/Context.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "core/isa.h"

namespace nunchi::cli {

int version(const Options&) {
  std::string isa;
  for (const auto& name : cpu_info().names()) isa += " " + name;
  Results results("");
  results.line("nunchi " NUNCHI_VERSION);
#ifdef __clang__
  results.line("compiler      " __VERSION__);
#else
  results.line("compiler      g++ " __VERSION__);
#endif
  results.line("LibTorch      " NUNCHI_LIBTORCH_VERSION);
  results.line(fmt::format("instructions {} (kernels: {})", isa, isa_name(chosen_isa())));
  results.line(fmt::format("devices       cpu{}", at::globalContext().hasCUDA() ? ", cuda" : ""));
  return 0;
}

}  // namespace nunchi::cli
