// ops/depthwise_loops.h: the definitions of ops/depthwise_kernels.h over the vectors of one instruction set.
#pragma once

#include "ops/depthwise_kernels.h"
#include "ops/vectors.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

template <bool whole, class X, class Y>
Floats pixel_at(const DepthwiseRow<X, Y>& r, const X* from, std::int64_t count) {
  const Floats x = part_of<whole>(from, count);
  if constexpr (sizeof(X) == 1)
    return x - r.zero;
  else
    return x;
}

template <bool whole, class X, class Y>
void finish_pixel(const DepthwiseRow<X, Y>& r, Floats sum, std::int64_t column, std::int64_t channel) {
  const auto at = column * r.channels + channel, count = r.channels - channel;
  const Floats linear = sum * r.step + part_of<whole>(r.bias + channel, count);
  const Floats y = smaller(all(r.high), larger(all(r.low), linear));
  if (r.out_codes != nullptr)
    put<whole>((y - r.of_out.low) * (1 / r.of_out.step), r.out_codes + at, count);
  else
    put<whole>(y, r.out + at, count);
}

// Pixels beside each other whose windows lie within the row: what one reads, its neighbours use again.
template <std::int64_t pixels, std::int64_t kernel, std::int64_t stride, bool whole, class X, class Y>
void several_pixels(const DepthwiseRow<X, Y>& r, std::int64_t column, std::int64_t channel) {
  constexpr std::int64_t reach = (pixels - 1) * stride + kernel;
  const auto count = r.channels - channel;
  Floats sums[pixels] = {};
  const X* x = r.x + (column * stride - r.padding) * r.channels + channel;
  const float* w = r.weights + channel;
  for (std::int64_t i = 0; i < r.rows; ++i, x += r.row_stride, w += kernel * r.channels) {
    Floats weights[kernel];
    NUNCHI_UNROLLED for (std::int64_t k = 0; k < kernel; ++k) weights[k] = part_of<whole>(w + k * r.channels, count);
    NUNCHI_UNROLLED for (std::int64_t j = 0; j < reach; ++j) {
      const Floats pixel = pixel_at<whole>(r, x + j * r.channels, count);
      NUNCHI_UNROLLED for (std::int64_t k = 0; k < kernel; ++k) {
        if (j >= k && (j - k) % stride == 0 && (j - k) / stride < pixels) sums[(j - k) / stride] += pixel * weights[k];
      }
    }
  }
  NUNCHI_UNROLLED for (std::int64_t p = 0; p < pixels; ++p) finish_pixel<whole>(r, sums[p], column + p, channel);
}

// One pixel, of any kernel, of whose window some may lie outside.
template <bool whole, class X, class Y>
void one_pixel(const DepthwiseRow<X, Y>& r, std::int64_t column, std::int64_t channel) {
  const auto first = column * r.stride - r.padding, count = r.channels - channel;
  Floats sum{};
  for (std::int64_t k = 0; k < r.kernel_w; ++k) {
    const auto at = first + k * r.dilation;
    if (at < 0 || at >= r.width) continue;
    for (std::int64_t i = 0; i < r.rows; ++i) {
      sum += pixel_at<whole>(r, r.x + i * r.row_stride + at * r.channels + channel, count) *
             part_of<whole>(r.weights + (i * r.kernel_w + k) * r.channels + channel, count);
    }
  }
  finish_pixel<whole>(r, sum, column, channel);
}

template <class X, class Y>
using Pixels = void (*)(const DepthwiseRow<X, Y>&, std::int64_t column, std::int64_t channel);

// For whole vectors of channels, and for the last few.
template <class X, class Y>
struct PixelLoops {
  std::int64_t pixels;
  Pixels<X, Y> whole, rest;

  void run(const DepthwiseRow<X, Y>& r, std::int64_t column) const {
    std::int64_t channel = 0;
    for (; channel + lanes <= r.channels; channel += lanes) whole(r, column, channel);
    if (channel < r.channels) rest(r, column, channel);
  }
};

template <std::int64_t pixels, std::int64_t kernel, std::int64_t stride, class X, class Y>
constexpr PixelLoops<X, Y> loops{pixels, several_pixels<pixels, kernel, stride, true, X, Y>,
                                 several_pixels<pixels, kernel, stride, false, X, Y>};

// For `count` pixels whose windows lie within the row: as many at a time as there are loops for.
template <class X, class Y>
PixelLoops<X, Y> loops_of(const DepthwiseRow<X, Y>& r, std::int64_t count) {
  constexpr PixelLoops<X, Y> one{1, one_pixel<true, X, Y>, one_pixel<false, X, Y>};
  if (r.dilation != 1 || count < 4) return one;
  if (r.kernel_w == 3 && r.stride == 1) return count < 8 ? loops<4, 3, 1, X, Y> : loops<8, 3, 1, X, Y>;
  if (r.kernel_w == 3 && r.stride == 2) return count < 8 ? loops<4, 3, 2, X, Y> : loops<8, 3, 2, X, Y>;
  if (r.kernel_w == 5 && r.stride == 1) return count < 8 ? loops<4, 5, 1, X, Y> : loops<8, 5, 1, X, Y>;
  return one;
}

template <class X, class Y>
void depthwise_row(const DepthwiseRow<X, Y>& r) {
  const auto within = [&](std::int64_t column) { return column < 0 ? 0 : column < r.columns ? column : r.columns; };
  // The pixels from `begin` to `end` have their windows within the row.
  const auto reach = (r.kernel_w - 1) * r.dilation + 1;
  const auto begin = within((r.padding + r.stride - 1) / r.stride);
  const auto end = r.width < reach ? begin : within((r.width - reach + r.padding) / r.stride + 1);
  const auto edge = loops_of(r, 0), inner = loops_of(r, end - begin);
  for (std::int64_t column = 0; column < begin; ++column) edge.run(r, column);
  for (auto column = begin; column < end; column += inner.pixels)  // the last ones anew where they do not come out even
    inner.run(r, column + inner.pixels <= end ? column : end - inner.pixels);
  for (auto column = begin < end ? end : begin; column < r.columns; ++column) edge.run(r, column);
}

}  // namespace

const DepthwiseKernels depthwise_kernels{depthwise_row<float, float>, depthwise_row<Bf16Bits, Bf16Bits>,
                                         depthwise_row<std::uint8_t, float>, depthwise_row<std::uint8_t, Bf16Bits>};

}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
