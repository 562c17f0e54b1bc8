#include "cli/machine.h"

#include "core/isa.h"

namespace nunchi::cli {

std::string machine_in_words(int threads, const PageWords& say) {
  return say("{}, threads: {}, kernels: {}", cpu_info().brand, threads, isa_name(chosen_isa()));
}

Json machine_as_json(int threads) {
  return {{"processor", cpu_info().brand}, {"kernels", std::string(isa_name(chosen_isa()))}, {"threads", threads}};
}

std::string in_words(const std::optional<double>& share_of_peak) {
  return share_of_peak ? fmt::format("{:.0f} %", 100 * *share_of_peak) : "-";
}

}  // namespace nunchi::cli
