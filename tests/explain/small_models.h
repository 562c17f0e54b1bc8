// explain/small_models.h: small models of the golden cases with pictures, for tests.
//
//   const auto model = small_model("vit_classifier");
//   const explain::Subject subject(model, random_pixels(model));
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

#include "explain/subject.h"

namespace nunchi::explain {

inline tasks::VisionModel small_model(const std::string& name, nn::Precision precision = nn::Precision::fp32,
                                      at::Device device = at::kCPU) {
  return tasks::VisionModel({.path = std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/cases" / name / "model"},
                            precision, device);
}

inline Tensor random_pixels(const tasks::VisionModel& model, std::uint64_t seed = 1) {
  const auto shape = model.network().input_shape();
  return at::empty({1, shape[0], shape[1], shape[2]}, at::kFloat).normal_(0, 1, at::detail::createCPUGenerator(seed));
}

}  // namespace nunchi::explain
