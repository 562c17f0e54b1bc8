#include "ops/attention_bias.h"

#include "core/isa.h"

namespace nunchi::ops {

AttentionBias::AttentionBias(const Tensor& bias, std::int64_t heads, std::int64_t queries, std::int64_t keys) {
  Tensor given = bias;
  while (given.dim() < 4) given = given.unsqueeze(0);
  const bool readable = given.scalar_type() == at::kFloat || given.scalar_type() == at::kBFloat16;
  bias_ = (readable ? given : given.to(at::kFloat)).expand({given.size(0), heads, queries, keys});
  if (bias_.stride(3) != 1) bias_ = bias_.contiguous();
}

void AttentionBias::add(BiasedScores scores, const Place& place) const {
  const auto offset =
      place.sample % bias_.size(0) * bias_.stride(0) + place.head * bias_.stride(1) + place.first * bias_.stride(2);
  const bool is_float = bias_.scalar_type() == at::kFloat;
  scores.bias = is_float ? bias_.const_data_ptr<float>() + offset : nullptr;
  scores.bias_bf16 = is_float ? nullptr : static_cast<const Bf16Bits*>(bias_.const_data_ptr()) + offset;
  scores.bias_stride = bias_.stride(2);
  NUNCHI_OF_CHOSEN_ISA_OR_BF16(attention_kernels).add_bias(scores);
}

}  // namespace nunchi::ops
