#include <ATen/Context.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "tasks/fastest_precision.h"

namespace nunchi::cli {
namespace {

void require_device(const at::Device& device) {
  const auto count = at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (device.is_cpu() || std::max<int>(device.index(), 0) < count) return;
  const auto there = count == 0 ? "no CUDA device" : fmt::format("{} of them, the last cuda:{}", count, count - 1);
  throw Error(
      ErrorKind::usage,
      fmt::format("--device {}: expected a GPU that LibTorch sees, found {}; use cpu (`nunchi doctor` says more)",
                  device.str(), there));
}

}  // namespace

at::Device device_named(const std::string& name) {
  if (name == "auto") return at::globalContext().hasCUDA() ? at::kCUDA : at::kCPU;
  const at::Device device(name);
  require_device(device);
  return device;
}

at::Device exact_device_named(const std::string& name, bool int8) {
  const auto device = int8 && name == "auto" ? at::Device(at::kCPU) : device_named(name);
  if (!device.is_cpu()) at::globalContext().setAllowTF32CuDNN(false);
  return device;
}

at::Device device_of(const Options& options, const tasks::ModelSource& source) {
  if (options.device == "cpu") return at::kCPU;
  if (options.precision == "auto") {  // measured in processes of their own, which a GPU in use here would break
    if (options.device == "auto") return at::kCPU;
    throw Error(ErrorKind::usage,
                fmt::format("--device {}: --precision auto measures on the CPU; name fp32 or bf16", options.device));
  }
  const bool may_be_stored_so = options.precision.empty() && at::globalContext().hasCUDA();
  return exact_device_named(options.device,
                            options.precision == "int8" || (may_be_stored_so && tasks::is_stored_in_int8(source)));
}

}  // namespace nunchi::cli
