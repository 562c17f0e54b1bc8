// cli/demo_model.h: the public checkpoint that `nunchi demo` offers to pull.
#pragma once

namespace nunchi::cli {

// Of those that `parity --published` compares with their publishers' figures, the smallest.
constexpr const char* public_model = "google/mobilenet_v2_1.0_224";

}  // namespace nunchi::cli
