#include "ops/depthwise.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/conv_extent.h"
#include "ops/depthwise_kernels.h"
#include "ops/product.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

template <class X, class Y>
struct Call {
  const Tensor& x;
  const DepthwiseWeights& w;
  const ConvOptions& o;
  const ConvExtent& extent;
  DepthwiseRow<X, Y> row;  // but for what follows from its place

  // Row i of picture b. The kernel's rows that lie outside meet zeros, and are left out.
  void run(int64_t b, int64_t i) const {
    const auto height = x.size(2), kernel = w.taps.size(0), dilation = o.dilation[0];
    const auto top = i * o.stride[0] - extent.before[0];
    const auto first = top < 0 ? divided_up(-top, dilation) : 0;
    const auto last = std::min(kernel, top < height ? divided_up(height - top, dilation) : 0);
    auto here = row;
    here.rows = std::max<int64_t>(last - first, 0);
    here.x += (b * height + top + first * dilation) * row.width * row.channels;
    here.weights += first * row.kernel_w * row.channels;
    const auto place = (b * extent.size[0] + i) * row.columns * row.channels;
    if (here.out) here.out += place;
    if (here.out_codes) here.out_codes += place;
    NUNCHI_OF_CHOSEN_ISA_OR_BF16(depthwise_kernels).of(here.x, here.out)(here);
  }
};

template <class X, class Y>
void run(const Tensor& x, const DepthwiseWeights& w, const ConvOptions& o, const ConvExtent& extent, const Tensor& y,
         Bounds bounds) {
  const auto given = scale_of(x), wanted = scale_of(y);
  const Call<X, Y> call{x,
                        w,
                        o,
                        extent,
                        {.x = elements<X>(x),
                         .rows = 0,
                         .row_stride = o.dilation[0] * x.size(3) * x.size(1),
                         .width = x.size(3),
                         .channels = x.size(1),
                         .weights = w.taps.const_data_ptr<float>(),
                         .bias = w.bias.const_data_ptr<float>(),
                         .kernel_w = w.taps.size(1),
                         .stride = o.stride[1],
                         .padding = extent.before[1],
                         .dilation = o.dilation[1],
                         .zero = given ? static_cast<float>(given->zero) : 0,
                         .step = given ? static_cast<float>(given->scale) : 1,
                         .low = bounds.low,
                         .high = bounds.high,
                         .columns = extent.size[1],
                         .out = wanted ? nullptr : elements<Y>(y),
                         .out_codes = wanted ? elements<std::uint8_t>(y) : nullptr,
                         .of_out = row_code(wanted)}};
  const auto rows = extent.size[0];
  at::parallel_for(0, x.size(0) * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) call.run(i / rows, i % rows);
  });
}

}  // namespace

bool is_depthwise(const Tensor& weight, std::int64_t groups) {
  constexpr int64_t most_taps = 25;  // oneDNN is faster with larger kernels, which share more
  const bool one_each = groups > 1 && groups == weight.size(0) && weight.size(1) == 1;
  return one_each && weight.size(2) * weight.size(3) <= most_taps;
}

DepthwiseWeights pack_depthwise(const Tensor& weight, const Tensor& bias) {
  const auto channels = weight.size(0);
  return {.taps = weight.detach().to(at::kFloat).squeeze(1).permute({1, 2, 0}).contiguous(),
          .bias = bias.defined() ? bias.detach().to(at::kFloat).contiguous() : at::zeros({channels}, at::kFloat),
          .kernel = at::empty(weight.sizes(), weight.options().device(at::kMeta))};
}

Tensor unpack_depthwise(const DepthwiseWeights& w) {
  return w.taps.permute({2, 0, 1}).unsqueeze(1).to(w.kernel.scalar_type()).contiguous();
}

Tensor depthwise(const Tensor& given, const DepthwiseWeights& w, const ConvOptions& o, const ConvEpilogue& e) {
  const Tensor x = in_channels_last(given);
  const auto extent = conv_extent(x, w.kernel, o);
  const Shape shape{x.size(0), x.size(1), extent.size[0], extent.size[1]};
  const auto bounds = bounds_of(e.activation);
  const bool inside = bounds && !e.residual;
  const Bounds within = inside ? *bounds : Bounds{};
  const bool codes = e.codes && inside && (scale_of(x) || x.isfinite().all().item<bool>());
  const auto dtype = numbers_dtype(x);
  const Tensor y = codes ? empty_codes(shape, *e.codes)
                         : at::empty(shape, at::TensorOptions(dtype).memory_format(at::MemoryFormat::ChannelsLast));
  with_elements_of(dtype, [&]<class T>(T*) {
    if (scale_of(x))
      run<std::uint8_t, T>(x, w, o, extent, y, within);
    else
      run<T, T>(x, w, o, extent, y, within);
  });
  if (inside) return y;
  const Tensor activated = activate(e.residual ? y + in_numbers(*e.residual) : y, e.activation);
  return e.codes ? in_codes(activated, *e.codes) : activated;
}

}  // namespace nunchi::ops
