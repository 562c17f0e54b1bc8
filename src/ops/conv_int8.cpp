#include "ops/conv_int8.h"

#include <ATen/Parallel.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/round_up.h"
#include "ops/conv_extent.h"
#include "ops/int8_product.h"
#include "ops/linear_int8.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

// What is left of x [b, c, h, w] in fp32 where each pixel, or each picture, has 256 steps.
Tensor rounded(const Tensor& x, bool by_pixel) {
  const auto over = by_pixel ? Shape{1} : Shape{1, 2, 3};
  Tensor low = x.amin(over, /*keepdim=*/true), high = x.amax(over, /*keepdim=*/true);
  if (!by_pixel) low = low.clamp_max(0), high = high.clamp_min(0);
  const Tensor range = high - low, step = at::where(range > 1e-30, range / 255, 1.0);
  if (!by_pixel) low = (low / step).round() * step;
  return low + step * ((x - low) * step.reciprocal()).round().clamp(0, 255);
}

// Where the codes of a padded picture lie, [height, width, channels], and those that each pixel of the result sums up.
struct Places {
  int64_t height, width, channels;  // the channels in whole fours
  std::vector<int64_t> piece_at;
  int64_t length;

  Places(const Tensor& x, const Int8Conv& w, const ConvOptions& o, const ConvExtent& e)
      : height(x.size(2) + e.before[0] + e.after[0]),
        width(x.size(3) + e.before[1] + e.after[1]),
        channels(rounded_up(x.size(1), 4)) {
    const auto kernel_h = w.kernel.size(2), kernel_w = w.kernel.size(3);
    const auto together = o.dilation[1] == 1 ? kernel_w : 1;  // pixels beside each other
    length = together * channels;
    for (int64_t i = 0; i < kernel_h; ++i) {
      for (int64_t j = 0; j < kernel_w; j += together) piece_at.push_back(at(i * o.dilation[0], j * o.dilation[1]));
    }
  }
  int64_t at(int64_t row, int64_t column) const { return (row * width + column) * channels; }
};

// One picture [h, w, channels] after the other, of numbers or of codes.
template <class T>
class Pictures {
 public:
  Pictures(const Tensor& x, const Places& places, const ConvOptions& o, const ConvExtent& extent)
      : x_(scale_of(x) ? nullptr : elements<T>(x)),
        codes_given_(scale_of(x) ? elements<std::uint8_t>(x) : nullptr),
        given_(row_code(scale_of(x))),
        rows_(x.size(2)),
        columns_(x.size(3)),
        channels_(x.size(1)),
        stride_(o.stride),
        extent_(extent),
        places_(places),
        ranges_(static_cast<std::size_t>(rows_)) {
    if (!lie_as_they_should()) codes_.reset(new std::uint8_t[places.at(places.height, 0)]);
  }

  CodeRows take(int64_t picture) {
    const auto first = picture * rows_ * row_length();
    const auto code = x_ ? code_of(range(x_ + first)) : given_;
    if (!lie_as_they_should()) {
      at::parallel_for(0, places_.height, 8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) encode(first, i, code);
      });
    }
    return {.codes = lie_as_they_should() ? codes_given_ + first : codes_.get(),
            .rows = extent_.size[0] * extent_.size[1],
            .columns = extent_.size[1],
            .row_step = places_.at(stride_[0], 0),
            .column_step = places_.at(0, stride_[1]),
            .piece_at = places_.piece_at.data(),
            .pieces = std::ssize(places_.piece_at),
            .length = places_.length,
            .of_row = nullptr,
            .of_all = code};
  }

 private:
  // A range that is none stays none, so that no number comes of it.
  static RowCode code_of(Range range) {
    return std::isnan(range.low) ? RowCode{range.low, 1} : row_code(code_scale(range.low, range.high));
  }

  static std::uint8_t zero_of(RowCode code) {
    return std::isnan(code.low) ? 0 : static_cast<std::uint8_t>(std::nearbyint(-code.low / code.step));
  }

  int64_t row_length() const { return columns_ * channels_; }

  bool lie_as_they_should() const {
    return codes_given_ && places_.height == rows_ && places_.width == columns_ && places_.channels == channels_;
  }

  Range range(const T* x) {
    const auto range_of = int8_kernels().of(x).range;
    at::parallel_for(0, rows_, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        ranges_[static_cast<std::size_t>(i)] = range_of(x + i * row_length(), row_length());
    });
    Range all = ranges_.front();
    for (const auto& [low, high] : ranges_) {
      all.low = std::isnan(low) ? low : std::min(all.low, low);  // which keeps a NaN that it has
      all.high = std::max(all.high, high);
    }
    return all;
  }

  // A row of the padded picture, which begins at the number `first`.
  void encode(int64_t first, int64_t row, RowCode code) {
    const auto zero = zero_of(code);
    std::uint8_t* codes = codes_.get() + places_.at(row, 0);
    const auto from = row - extent_.before[0];
    if (from < 0 || from >= rows_) return static_cast<void>(std::fill_n(codes, places_.at(1, 0), zero));
    std::uint8_t* pixels = codes + places_.at(0, extent_.before[1]);
    std::fill(codes, pixels, zero);
    std::fill(pixels + places_.at(0, columns_), codes + places_.at(1, 0), zero);
    const auto at = first + from * row_length();
    if (x_)
      int8_kernels().of(x_).encode(x_ + at, row_length(), code, pixels);
    else
      std::copy_n(codes_given_ + at, row_length(), pixels);
    if (channels_ != places_.channels) spread(pixels);
  }

  // From `channels_` codes a pixel to whole fours, the last pixel first. What a weight of zero meets does not matter.
  void spread(std::uint8_t* pixels) const {
    for (int64_t j = columns_ - 1; j > 0; --j) {
      const std::uint8_t* from = pixels + j * channels_;
      std::copy_backward(from, from + channels_, pixels + j * places_.channels + channels_);
    }
  }

  const T* x_;                       // or
  const std::uint8_t* codes_given_;  // these,
  RowCode given_;                    // of which this is the scale
  int64_t rows_, columns_, channels_;
  std::array<int64_t, 2> stride_;
  const ConvExtent& extent_;
  const Places& places_;
  std::unique_ptr<std::uint8_t[]> codes_;
  std::vector<Range> ranges_;
};

// Pictures go to the threads whole, so that each stays in one cache; those that do not come out even are shared.
template <class T>
void convolve(const Tensor& given, const Int8Conv& w, const ConvOptions& o, const ConvExtent& extent,
              const Int8Result<T>& result) {
  const Tensor x = in_channels_last(given);
  const Places places(x, w, o, extent);
  const auto batch = x.size(0), whole = batch / at::get_num_threads() * at::get_num_threads();
  const auto size = extent.size[0] * extent.size[1] * w.matrix.out;
  const auto take = [&](int64_t begin, int64_t end) {
    Pictures<T> pictures(x, places, o, extent);
    for (int64_t i = begin; i < end; ++i) multiply_codes(pictures.take(i), w.matrix, result.from(i * size));
  };
  if (whole > 0) at::parallel_for(0, whole, 1, take);
  if (whole < batch) take(whole, batch);
}

}  // namespace

Int8Conv quantise_conv(const Tensor& weight, const Tensor& bias) {
  const auto in = weight.size(1);
  const Tensor pixels = at::constant_pad_nd(weight.detach().permute({0, 2, 3, 1}), {0, rounded_up(in, 4) - in});
  Int8Conv w{.matrix = quantise_weight(pixels.flatten(1)),
             .kernel = at::empty(weight.sizes(), at::TensorOptions(at::kChar).device(at::kMeta))};
  w.bias = in_whole_tiles(bias, w.matrix);
  return w;
}

Tensor dequantise_conv(const Int8Conv& w) {
  const auto sizes = w.kernel.sizes();
  const Tensor pixels = dequantise_weight(w.matrix).view({sizes[0], sizes[2], sizes[3], -1});
  return pixels.slice(3, 0, sizes[1]).permute({0, 3, 1, 2}).contiguous();
}

Tensor conv_int8_reference(const Tensor& given, const Int8Conv& w, const ConvOptions& o, const ConvEpilogue& e) {
  const Tensor seen = scale_of(given) ? exactly(given) : rounded(exactly(given), is_pixelwise(w.kernel, o));
  const auto [before, after, size] = conv_extent(given, w.kernel, o);
  const Tensor padded = at::constant_pad_nd(seen, {before[1], after[1], before[0], after[0]});
  const Tensor bias = w.bias.slice(0, 0, w.matrix.out);
  const Tensor linear = at::conv2d(padded, dequantise_conv(w), bias, o.stride, at::IntArrayRef{0, 0}, o.dilation);
  const Tensor y = activate(e.residual ? linear + exactly(*e.residual) : linear, e.activation);
  return e.codes ? in_codes(y, *e.codes) : y.to(numbers_dtype(given));
}

Tensor conv_int8(const Tensor& x, const Int8Conv& w, const ConvOptions& o, const ConvEpilogue& e) {
  constexpr auto channels_last = at::MemoryFormat::ChannelsLast;
  const auto dtype = numbers_dtype(x);
  const auto extent = conv_extent(x, w.kernel, o);
  const Shape shape{x.size(0), w.matrix.out, extent.size[0], extent.size[1]};
  const bool inside = tile_applies(e.activation), gives_codes = e.codes && inside;
  const Tensor y = gives_codes ? empty_codes(shape, *e.codes)
                               : at::empty(shape, at::TensorOptions(dtype).memory_format(channels_last));
  Tensor residual = e.residual.value_or(Tensor());
  const auto added = scale_of(residual);
  if (e.residual) residual = (added ? residual : residual.to(dtype)).contiguous(channels_last);
  std::atomic<bool> lost = false;
  with_elements_of(dtype, [&]<class T>(T*) {
    const Int8Result<T> result{.target = {.out = gives_codes ? nullptr : elements<T>(y),
                                          .residual = e.residual && !added ? elements<T>(residual) : nullptr,
                                          .out_codes = gives_codes ? elements<std::uint8_t>(y) : nullptr,
                                          .residual_codes = added ? elements<std::uint8_t>(residual) : nullptr,
                                          .of_out = row_code(e.codes),
                                          .of_residual = row_code(added),
                                          .stride = w.matrix.out},
                               .bias = w.bias.const_data_ptr<float>(),
                               .activation = inside ? e.activation : Activation::none,
                               .residual_first = true,
                               .lost = &lost};
    if (is_pixelwise(w.kernel, o) && !scale_of(x))
      multiply_rows<T>({elements<T>(x.contiguous(channels_last)), y.numel() / w.matrix.out, x.size(1)}, w.matrix,
                       result);
    else
      convolve<T>(x, w, o, extent, result);
  });
  if (lost) return conv_int8(x, w, o, {.activation = e.activation, .residual = e.residual});
  if (inside) return y;
  const Tensor activated = activate(y, e.activation);
  return e.codes ? in_codes(activated, *e.codes) : activated;
}

}  // namespace nunchi::ops
