#include "ops/code_scale.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "ops/product.h"

namespace nunchi::ops {
namespace {

struct ScaleMeta : c10::BackendMeta {
  CodeScale scale;

  explicit ScaleMeta(const CodeScale& of) : scale(of) {}
  c10::intrusive_ptr<BackendMeta> clone(const c10::intrusive_ptr<BackendMeta>&) const override {
    return c10::make_intrusive<ScaleMeta>(scale);
  }
};

}  // namespace

CodeScale code_scale(double low, double high) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  const double scale = high - low > 1e-30 ? (high - low) / 255 : 1;
  return {.scale = scale, .zero = static_cast<std::int64_t>(std::nearbyint(-low / scale))};
}

Tensor empty_codes(at::IntArrayRef sizes, const CodeScale& scale) {
  Tensor codes = at::empty(sizes, at::TensorOptions(at::kByte).memory_format(at::MemoryFormat::ChannelsLast));
  set_scale(codes, scale);
  return codes;
}

Tensor in_codes(const Tensor& x, const CodeScale& scale) {
  const Tensor steps = x.to(at::kFloat) / scale.scale + static_cast<double>(scale.zero);
  Tensor codes = steps.round().clamp(0, 255).to(at::kByte);
  set_scale(codes, scale);
  return codes;
}

void set_scale(const Tensor& codes, const CodeScale& scale) {
  ASSERT(codes.scalar_type() == at::kByte, "codes are bytes");
  codes.unsafeGetTensorImpl()->set_backend_meta(c10::make_intrusive<ScaleMeta>(scale));
}

std::optional<CodeScale> scale_of(const Tensor& x) {
  if (!x.defined() || x.scalar_type() != at::kByte) return std::nullopt;
  const auto* meta = dynamic_cast<const ScaleMeta*>(x.unsafeGetTensorImpl()->get_backend_meta());
  return meta ? std::optional(meta->scale) : std::nullopt;
}

Tensor in_numbers(const Tensor& x) { return scale_of(x) ? exactly(x).to(numbers_dtype(x)) : x; }

}  // namespace nunchi::ops
