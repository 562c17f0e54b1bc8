#include "ops/conv_product.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/round_up.h"
#include "ops/conv_extent.h"
#include "ops/product.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

// A kernel's pixels beside each other are one piece of what a pixel of the result sums up.
int64_t pixels_of_piece(const Tensor& kernel, bool dilated) { return dilated ? 1 : kernel.size(3); }

// Where the numbers or codes of a padded picture lie, [height, width, channels], and those that each pixel of the
// result sums up. A piece ends with weights of zero where it is no whole number of groups: what they meet does not
// matter, so long as it is a number.
struct Places {
  int64_t height, width, channels;
  std::vector<int64_t> piece_at;
  std::vector<PieceRange> seen;  // of each row of the result, by those of the picture, where it is padded
  int64_t length;
  bool is_whole;   // each piece
  bool is_padded;  // the picture

  Places(const Tensor& x, const Tensor& kernel, const ConvOptions& o, const ConvExtent& e, int64_t together)
      : height(x.size(2) + e.before[0] + e.after[0]),
        width(x.size(3) + e.before[1] + e.after[1]),
        channels(x.size(1)),
        is_padded(height != x.size(2) || width != x.size(3)) {
    const auto pixels = pixels_of_piece(kernel, o.dilation[1] > 1);
    length = rounded_up(pixels * channels, together);
    is_whole = length == pixels * channels;
    const auto kernel_h = kernel.size(2), dilation = o.dilation[0], in_row = kernel.size(3) / pixels;
    for (int64_t i = 0; i < kernel_h; ++i) {
      for (int64_t j = 0; j < kernel.size(3); j += pixels) piece_at.push_back(at(i * dilation, j * o.dilation[1]));
    }
    for (int64_t i = 0; is_padded && i < e.size[0]; ++i) {
      const auto top = i * o.stride[0] - e.before[0], left = x.size(2) - top;
      const auto first = top < 0 ? divided_up(-top, dilation) : 0, end = left > 0 ? divided_up(left, dilation) : 0;
      seen.push_back({std::min(first, kernel_h) * in_row, std::min(end, kernel_h) * in_row});
    }
  }
  int64_t at(int64_t row, int64_t column) const { return (row * width + column) * channels; }
  int64_t size() const { return at(height, 0); }
};

// Some pictures of numbers T, or of codes, as padded ones of X, which is T or std::uint8_t.
template <class X, class T>
class Pictures {
 public:
  static constexpr bool in_codes = std::is_same_v<X, std::uint8_t>;

  Pictures(const Tensor& x, const Places& places, const ConvOptions& o, const ConvExtent& extent)
      : x_(scale_of(x) ? nullptr : elements<T>(x)),
        codes_given_(scale_of(x) ? elements<std::uint8_t>(x) : nullptr),
        given_(row_code(scale_of(x))),
        batch_(x.size(0)),
        rows_(x.size(2)),
        columns_(x.size(3)),
        channels_(x.size(1)),
        stride_(o.stride),
        extent_(extent),
        places_(places),
        lies_in_rows_(x.is_contiguous(at::MemoryFormat::ChannelsLast)) {}

  // So many that what is made of them stays in the second cache. Numbers that become codes have a range for each.
  int64_t at_once() const {
    if (in_codes && x_) return 1;
    constexpr int64_t cache = int64_t{512} << 10;
    return lie_as_they_should() ? batch_
                                : std::clamp<int64_t>(cache / (places_.size() * int64_t{sizeof(X)}), 1, batch_);
  }

  ProductRows<X> take(int64_t first, int64_t count) {
    const auto place = first * rows_ * row_length();
    ProductRows<X> rows{.x = nullptr,
                        .rows = count * extent_.size[0] * extent_.size[1],
                        .height = extent_.size[0],
                        .width = extent_.size[1],
                        .map_step = places_.size(),
                        .row_step = places_.at(stride_[0], 0),
                        .column_step = places_.at(0, stride_[1]),
                        .piece_at = places_.piece_at.data(),
                        .pieces = std::ssize(places_.piece_at),
                        .length = places_.length,
                        .seen = in_codes || !places_.is_padded ? nullptr : places_.seen.data(),
                        .of_all = in_codes && x_ ? code_of(range(x_ + place)) : given_};
    if (lie_as_they_should()) {
      if constexpr (in_codes)
        rows.x = codes_given_ + place;
      else
        rows.x = x_ + place;
      return rows;
    }
    const auto size = count * places_.size(), room = size + places_.length;  // the last piece may end outside
    if (room_ < room) padded_.reset(new X[room_ = room]);
    std::fill(padded_.get() + size, padded_.get() + room, X{});
    at::parallel_for(0, count * places_.height, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        pad(padded_.get() + i * places_.at(1, 0), place + i / places_.height * rows_ * row_length(), i % places_.height,
            rows.of_all);
    });
    rows.x = padded_.get();
    return rows;
  }

 private:
  // A range that is none stays none, so that no number comes of it.
  static RowCode code_of(Range range) {
    return std::isnan(range.low) ? RowCode{range.low, 1} : row_code(code_scale(range.low, range.high));
  }

  static X zero_of(RowCode code) {
    return !in_codes || std::isnan(code.low) ? X{} : static_cast<X>(std::nearbyint(-code.low / code.step));
  }

  int64_t row_length() const { return columns_ * channels_; }

  bool lie_as_they_should() const {
    const bool same_kind = !in_codes || codes_given_;
    return same_kind && lies_in_rows_ && places_.is_whole && !places_.is_padded;
  }

  Range range(const T* x) const {
    const auto range_of = product_kernels().of(x).range;
    std::vector<Range> ranges(static_cast<std::size_t>(rows_));
    at::parallel_for(0, rows_, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        ranges[static_cast<std::size_t>(i)] = range_of(x + i * row_length(), row_length());
    });
    Range all = ranges.front();
    for (const auto& [low, high] : ranges) {
      all.low = std::isnan(low) ? low : std::min(all.low, low);  // which keeps a NaN that it has
      all.high = std::max(all.high, high);
    }
    return all;
  }

  // A row of the padded picture whose numbers begin at the place `first`.
  void pad(X* to, int64_t first, int64_t row, RowCode code) const {
    const auto zero = zero_of(code);
    const auto from = row - extent_.before[0];
    if (from < 0 || from >= rows_) return static_cast<void>(std::fill_n(to, places_.at(1, 0), zero));
    X* pixels = to + places_.at(0, extent_.before[1]);
    std::fill(to, pixels, zero);
    std::fill(pixels + places_.at(0, columns_), to + places_.at(1, 0), zero);
    if (!in_codes || codes_given_)
      copy(first, from, pixels);
    else
      encode(first, from, code, pixels);
  }

  // Of the picture that begins at the place `first`, a row of pixels.
  void copy(int64_t first, int64_t row, X* to) const {
    const X* from = nullptr;
    if constexpr (in_codes)
      from = codes_given_;
    else
      from = x_;
    if (lies_in_rows_) return static_cast<void>(std::copy_n(from + first + row * row_length(), row_length(), to));
    gather(from + first, row, to);
  }

  void encode(int64_t first, int64_t row, RowCode code, X* to) const {
    if constexpr (in_codes) {
      const auto encode = product_kernels().of(x_).encode;
      if (lies_in_rows_) return encode(x_ + first + row * row_length(), row_length(), code, to);
      std::vector<T> pixels(static_cast<std::size_t>(row_length()));
      gather(x_ + first, row, pixels.data());
      encode(pixels.data(), row_length(), code, to);
    }
  }

  // From one plane after the other.
  template <class Number>
  void gather(const Number* picture, int64_t row, Number* to) const {
    for (int64_t c = 0; c < channels_; ++c) {
      const Number* from = picture + (c * rows_ + row) * columns_;
      for (int64_t j = 0; j < columns_; ++j) to[j * channels_ + c] = from[j];
    }
  }

  const T* x_;                       // or
  const std::uint8_t* codes_given_;  // these,
  RowCode given_;                    // of which this is the scale
  int64_t batch_, rows_, columns_, channels_;
  std::array<int64_t, 2> stride_;
  const ConvExtent& extent_;
  const Places& places_;
  bool lies_in_rows_;  // of pixels; or else in planes
  std::unique_ptr<X[]> padded_;
  int64_t room_ = 0;
};

// Pictures go to the threads whole, so that each stays in one cache; those that do not come out even are shared.
template <class X, class T>
void convolve(const Tensor& given, const ConvMatrix& w, const ConvOptions& o, const ConvExtent& extent,
              const ProductResult<T>& result) {
  const bool in_few_planes = given.size(1) <= 4 && given.is_contiguous();  // a picture as it comes
  const Tensor x = in_few_planes ? given : in_channels_last(given);
  const Places places(x, w.kernel, o, extent, Operand<X>::together);
  const auto batch = x.size(0), whole = batch / threads_here() * threads_here();
  const auto size = extent.size[0] * extent.size[1] * w.weight.out;
  const auto take = [&](int64_t begin, int64_t end) {
    Pictures<X, T> pictures(x, places, o, extent);
    const auto step = pictures.at_once();
    for (int64_t i = begin; i < end; i += step)
      multiply(pictures.take(i, std::min(step, end - i)), w.weight, result.from(i * size));
  };
  if (whole > 0) at::parallel_for(0, whole, 1, take);
  if (whole < batch) take(whole, batch);
}

// Each pixel by the same matrix, with a range of its own in eight bits.
template <class T>
void multiply_pixels(const Tensor& given, const ConvMatrix& w, const ProductResult<T>& result) {
  const Tensor x = in_channels_last(given);
  multiply(NumberRows<T>{elements<T>(x), x.numel() / x.size(1), x.size(1)}, w.weight, result);
}

}  // namespace

Tensor kernel_rows(const Tensor& weight, int64_t together, const ConvOptions& o) {
  const auto length = pixels_of_piece(weight, o.dilation[1] > 1) * weight.size(1);
  const Tensor pieces = weight.detach().permute({0, 2, 3, 1}).reshape({weight.size(0), -1, length});
  const auto more = rounded_up(length, together) - length;
  return (more == 0 ? pieces : at::constant_pad_nd(pieces, {0, more})).flatten(1);
}

std::optional<ConvMatrix> pack_matrix(const Tensor& weight, const Tensor& bias, const ConvOptions& o) {
  const auto together = weight.scalar_type() == at::kBFloat16 ? Operand<Bf16Bits>::together : 1;
  auto packed = pack_linear(kernel_rows(weight, together, o), bias);
  if (!packed) return {};
  return ConvMatrix{std::move(*packed), at::empty(weight.sizes(), weight.options().device(at::kMeta)),
                    o.dilation[1] > 1};
}

Tensor unpack_matrix(const ConvMatrix& w) {
  const auto out = w.kernel.size(0), in = w.kernel.size(1), kernel_h = w.kernel.size(2), kernel_w = w.kernel.size(3);
  const auto pixels = pixels_of_piece(w.kernel, w.dilated);
  const Tensor pieces = unpack_linear(w.weight).view({out, kernel_h * kernel_w / pixels, -1}).slice(2, 0, pixels * in);
  return pieces.reshape({out, kernel_h, kernel_w, in}).permute({0, 3, 1, 2}).clone(at::MemoryFormat::Contiguous);
}

Tensor conv_product(const Tensor& x, const ConvMatrix& w, const ConvOptions& o, const ConvEpilogue& e) {
  constexpr auto channels_last = at::MemoryFormat::ChannelsLast;
  const auto dtype = numbers_dtype(x);
  const auto extent = conv_extent(x, w.kernel, o);
  const Shape shape{x.size(0), w.weight.out, extent.size[0], extent.size[1]};
  const bool inside = tile_applies(e.activation), gives_codes = e.codes && inside;
  const Tensor y = gives_codes ? empty_codes(shape, *e.codes)
                               : at::empty(shape, at::TensorOptions(dtype).memory_format(channels_last));
  Tensor residual = e.residual.value_or(Tensor());
  const auto added = scale_of(residual);
  if (e.residual) residual = (added ? residual : residual.to(dtype)).contiguous(channels_last);
  std::atomic<bool> lost = false;
  with_elements_of(dtype, [&]<class T>(T*) {
    const ProductResult<T> result{.target = {.out = gives_codes ? nullptr : elements<T>(y),
                                             .residual = e.residual && !added ? elements<T>(residual) : nullptr,
                                             .out_codes = gives_codes ? elements<std::uint8_t>(y) : nullptr,
                                             .residual_codes = added ? elements<std::uint8_t>(residual) : nullptr,
                                             .of_out = row_code(e.codes),
                                             .of_residual = row_code(added),
                                             .stride = w.weight.out},
                                  .activation = inside ? e.activation : Activation::none,
                                  .residual_first = true,
                                  .lost = &lost};
    if (!w.weight.is_int8())
      convolve<T, T>(x, w, o, extent, result);
    else if (is_pixelwise(w.kernel, o) && !scale_of(x))
      multiply_pixels<T>(x, w, result);
    else
      convolve<std::uint8_t, T>(x, w, o, extent, result);
  });
  if (lost) return conv_product(x, w, o, {.activation = e.activation, .residual = e.residual});
  if (inside) return y;
  const Tensor activated = activate(y, e.activation);
  return e.codes ? in_codes(activated, *e.codes) : activated;
}

}  // namespace nunchi::ops
