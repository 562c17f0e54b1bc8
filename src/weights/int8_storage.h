// weights/int8_storage.h: weights kept in eight bits in the file, as compressed-tensors ("int-quantized") keeps them:
// the codes under the weight's own name, [out, ...] int8, and a scale for each output channel beside them, [out, 1]
// fp32 under that name and "_scale". The weight is code * scale. Of a convolution that was calibrated, "input_scale"
// and "input_zero_point" beside "weight" say which codes from -128 to 127 it takes.
//
//   const auto [codes, scales] = ops::int8_codes(weight);
//   Tensor stored = from_int8(codes, scales);   // the weight, rounded
#pragma once

#include "core/json.h"
#include "formats/weight_files.h"
#include "ops/code_scale.h"

namespace nunchi::weights {

// codes [out, ...], scales [out, 1], [out] or [1] -> [out, ...] fp32.
Tensor from_int8(const Tensor& codes, const Tensor& scales);

std::string scales_name(const std::string& weight);
std::string input_scale_name(const std::string& weight);
std::string input_zero_name(const std::string& weight);

// That name, where the file has this tensor in int8; nothing where it does not. Throws Error (model)
// for codes without scales or with scales of another shape.
std::optional<std::string> scales_of(const formats::WeightFiles& files, const std::string& name);

// The input's scale [] or [1] and zero point [] or [1], if there is one, beside this weight. Throws Error (model) where
// they are none.
std::optional<ops::CodeScale> input_of(const formats::WeightFiles& files, const std::string& name);

// What config.json says of such a checkpoint. `in_float`: the layers, by the publisher's names, that are not
// quantised.
Json int8_config(const std::vector<std::string>& in_float);

// Throws Error (model) where config.json names a quantisation that is not this one. Fine where it names none.
void check_quantisation(const Json& config);

}  // namespace nunchi::weights
