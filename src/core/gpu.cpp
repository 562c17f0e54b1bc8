#include "core/gpu.h"

#include <dlfcn.h>

#include <array>
#include <memory>

namespace nunchi {
namespace {

// The few functions of the CUDA driver API that are needed, as its documentation declares them; 0 is success.
struct Driver {
  int (*init)(unsigned flags) = nullptr;
  int (*count)(int* count) = nullptr;
  int (*device)(int* device, int ordinal) = nullptr;
  int (*name)(char* name, int length, int device) = nullptr;
  int (*memory)(std::size_t* bytes, int device) = nullptr;
  int (*attribute)(int* value, int attribute, int device) = nullptr;
};

constexpr int compute_capability_major = 75, compute_capability_minor = 76;

template <class Function>
bool find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, Driver& driver) {
  return find(library, "cuInit", driver.init) && find(library, "cuDeviceGetCount", driver.count) &&
         find(library, "cuDeviceGet", driver.device) && find(library, "cuDeviceGetName", driver.name) &&
         find(library, "cuDeviceTotalMem_v2", driver.memory) && find(library, "cuDeviceGetAttribute", driver.attribute);
}

GpuInfo describe(const Driver& driver, int ordinal) {
  GpuInfo gpu;
  int device = 0;
  std::array<char, 256> name{};
  std::size_t memory = 0;
  if (driver.device(&device, ordinal) != 0) return gpu;
  if (driver.name(name.data(), static_cast<int>(name.size() - 1), device) == 0) gpu.name = name.data();
  if (driver.memory(&memory, device) == 0) gpu.memory = memory;
  driver.attribute(&gpu.major_version, compute_capability_major, device);
  driver.attribute(&gpu.minor_version, compute_capability_minor, device);
  return gpu;
}

}  // namespace

std::vector<GpuInfo> gpus() {
  const std::unique_ptr<void, int (*)(void*)> library(dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL), dlclose);
  Driver driver;
  int count = 0;
  if (!library || !find_all(library.get(), driver) || driver.init(0) != 0 || driver.count(&count) != 0) return {};
  std::vector<GpuInfo> found;
  for (int i = 0; i < count; ++i) found.push_back(describe(driver, i));
  return found;
}

}  // namespace nunchi
