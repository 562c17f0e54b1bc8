#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "cli/commands.h"
#include "core/file.h"
#include "core/gpu.h"
#include "core/isa.h"
#include "core/peak.h"
#include "core/progress.h"
#include "remote/hub_settings.h"

namespace nunchi::cli {
namespace {

struct Check {
  std::string name, found;
  std::string remedy;  // empty: nothing is missing
};

std::string isa_names() {
  std::string names;
  for (const auto& name : cpu_info().names()) names += (names.empty() ? "" : " ") + name;
  return names.empty() ? "none beyond the baseline" : names;
}

Check check_isa() {
  const bool fast = cpu_info().avx2 || cpu_info().neon;
  return {"instruction sets", fmt::format("{} (kernels: {})", isa_names(), isa_name(chosen_isa())),
          fast ? "" : "this processor has no AVX2: everything works, several times slower"};
}

Check check_bf16() {
  const auto& cpu = cpu_info();
  const bool fast = cpu.avx512_bf16 || cpu.amx_bf16 || cpu.neon_bf16;
  return {"bf16", fast ? "in hardware" : "not in hardware",
          fast ? "" : "use --precision fp32: bf16 is slower on this processor"};
}

Check check_int8() {
  const bool fast = cpu_info().avx512_vnni || cpu_info().amx_int8;
  return {"int8", fast ? "in hardware" : "no dot products of bytes",
          fast ? "" : "use --precision fp32: int8 saves memory here, and no time"};
}

Check check_memory() {
  const auto memory = memory_info();
  const bool enough = memory.available > 1'000'000'000;
  return {"memory", fmt::format("{} of {} free", format_bytes(memory.available), format_bytes(memory.total)),
          enough ? "" : "a ViT-B/16 needs about 0.7 GB: close other programs or use a smaller model"};
}

Check check_gpus() {
  std::string names;
  for (const auto& gpu : gpus()) {
    names += fmt::format("{}{}, {:.2f} GB, compute capability {}.{}", names.empty() ? "" : "; ", gpu.name,
                         static_cast<double>(gpu.memory) / 1e9, gpu.major_version, gpu.minor_version);
  }
  if (names.empty()) return {"GPU", "none", ""};
  return {"GPU", names, "inference runs on the CPU so far; nothing is to be done"};
}

Check check_cuda() { return {"CUDA", at::globalContext().hasCUDA() ? "in this LibTorch" : "not in this LibTorch", ""}; }

Check check_cache() {
  const auto folder = remote::hub_settings().cache;
  std::error_code error;
  const bool there = std::filesystem::is_directory(folder, error);
  const bool forbidden = error == std::errc::permission_denied;
  return {"model cache",
          fmt::format("{} ({})", folder.string(),
                      there       ? "exists"
                      : forbidden ? "may not be read"
                                  : "does not exist"),
          there ? "" : "nothing is to be done: nunchi pull makes it"};
}

Check check_writing() {
  const bool can = access(".", W_OK) == 0;
  return {"this folder", can ? "can be written" : "cannot be written",
          can ? "" : "change to another folder, or give --out a path elsewhere"};
}

// 524 G, 0.5 G; operations a second.
std::string giga(double operations) {
  return fmt::format("{} G", operations < 1e10 ? fmt::format("{:.1f}", operations / 1e9)
                                               : with_thousands(std::llround(operations / 1e9)));
}

Json as_json(const Peak& peak, int threads) {
  return {{"threads", threads}, {"fp32", peak.fp32}, {"bf16", peak.bf16}, {"int8", peak.int8}};
}

Check check_peak(const Peak& peak, int threads) {
  const auto part = [](const char* name, double operations, const char* unit) {
    return operations > 0 ? fmt::format("{} {}{}", name, giga(operations), unit)
                          : fmt::format("{} not in hardware", name);
  };
  return {"peak",
          fmt::format("{}, {}, {} (threads: {})", part("fp32", peak.fp32, "FLOP/s"), part("bf16", peak.bf16, "FLOP/s"),
                      part("int8", peak.int8, "OP/s"), threads),
          has_matrix_unit(cpu_info()) ? "AMX, which is not measured, does more in bf16 and int8" : ""};
}

}  // namespace

int doctor(const Options& options) {
  const auto& cpu = cpu_info();
  const int threads = at::get_num_threads();
  std::vector<Check> checks = {
      {"nunchi", NUNCHI_VERSION, ""},
      {"processor", cpu.brand, ""},
      {"cores",
       fmt::format("{} ({} physical), {} threads for the network", cpu.logical_cores, cpu.physical_cores, threads), ""},
      check_isa(),
      check_bf16(),
      check_int8(),
      check_memory(),
      {"LibTorch", NUNCHI_LIBTORCH_VERSION, ""},
      check_gpus(),
      check_cuda(),
      check_cache(),
      check_writing()};
  Results results("");
  Json json = Json::object();
  std::optional<Peak> peak;
  if (options.peak) checks.push_back(check_peak(peak.emplace(measure_peak({.threads = threads})), threads));
  for (const auto& check : checks) {
    json[check.name] = {{"found", check.found}, {"remedy", check.remedy}};
    if (options.json) continue;
    results.line(fmt::format("{:<18}{}", check.name, check.found));
    if (!check.remedy.empty()) results.line(fmt::format("{:<18}-> {}", "", check.remedy));
  }
  if (peak) json["peak"].update(as_json(*peak, threads));
  if (options.json) results.line(json_line(json));
  return 0;
}

}  // namespace nunchi::cli
