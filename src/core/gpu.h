// core/gpu.h: the GPUs of this machine, asked of NVIDIA's driver whatever LibTorch was built for.
//
//   for (const GpuInfo& gpu : gpus()) fmt::print("{}: {}\n", gpu.name, format_bytes(gpu.memory));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nunchi {

struct GpuInfo {
  std::string name;
  std::uint64_t memory = 0;                  // bytes
  int major_version = 0, minor_version = 0;  // compute capability
};

// Empty where there is no driver or no GPU. Loads the driver's library when it is called, and lets it go.
std::vector<GpuInfo> gpus();

}  // namespace nunchi
