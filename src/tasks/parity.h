// tasks/parity.h: runs a case made from a peer and compares stage by stage (docs/parity.md).
//
// A case is a folder: model/, input.*, expected.safetensors (float32, names of tasks/forward.h) and case.json
// {name, peer, peer_version, arch, task, input, texts, required, atol, rtol, size}.
#pragma once

#include <filesystem>

#include "nn/module.h"

namespace nunchi::tasks {

struct StageResult {
  std::string name;
  double max_absolute = 0, max_relative = 0;  // relative to the largest expected magnitude
  bool required = false, passed = false;
  std::string remark;  // "not produced", "expected shape ..., found ..."
};

struct ParityResult {
  std::string name, peer;
  std::vector<StageResult> stages;  // in the order in which they are computed
  bool passed() const;
  const StageResult* first_failure() const;  // among all stages, not only the required ones
};

// What rounding to a precision may cost an output, relative to the largest expected value; 0 for fp32.
double rounding_of(nn::Precision precision);

// pixel_values must be equal to the last bit; an output passes within atol + rtol * max |expected|, where rtol is at
// least rounding_of(precision). Throws Error (input) where the folder is not a case.
ParityResult run_case(const std::filesystem::path& folder, nn::Precision precision = nn::Precision::fp32,
                      at::Device device = at::kCPU);

}  // namespace nunchi::tasks
