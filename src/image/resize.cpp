#include "image/resize.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/assert.h"
#include "image/resample_kernels.h"
#include "image/resample_weights.h"

namespace nunchi::image {
namespace {

// Rows somewhere in memory. `bytes_left` counts from the first row to the end of what may be read.
struct View {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  int rows = 0;
  std::size_t bytes_left = 0;
};

View part_of(const Picture& picture, Range columns, Range rows) {
  const std::size_t offset = static_cast<std::size_t>(rows.first) * picture.row_bytes() +
                             static_cast<std::size_t>(columns.first) * static_cast<std::size_t>(picture.channels);
  return {picture.pixels.data() + offset, static_cast<std::ptrdiff_t>(picture.row_bytes()), rows.count,
          picture.pixels.size() - offset};
}

View view_of(const Picture& picture) { return part_of(picture, {0, picture.width}, {0, picture.height}); }

// Weights and their SIMD packing; `pass` points into the vectors.
struct Plan {
  AxisWeights weights;
  std::vector<std::int32_t> packed;
  ResamplePass pass;
};

std::int32_t pair(std::int32_t first, std::int32_t second) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(first) & 0xffffu) | static_cast<std::uint32_t>(second)
                                                                                       << 16);
}

// Packs `group` taps at a time: their pairs' high parts, then their low parts.
void pack(Plan& plan, int group) {
  constexpr std::int32_t low_mask = (1 << low_weight_bits) - 1;
  const AxisWeights& weights = plan.weights;
  plan.pass.groups = (weights.taps + group - 1) / group;
  std::vector<std::int32_t> padded(static_cast<std::size_t>(plan.pass.groups * group));
  plan.packed.reserve(weights.first.size() * padded.size());
  for (std::size_t i = 0; i < weights.first.size(); ++i) {
    std::copy_n(weights.values.begin() + static_cast<std::ptrdiff_t>(i) * weights.taps, weights.taps, padded.begin());
    for (auto tap = padded.begin(); tap != padded.end(); tap += group) {
      for (int p = 0; p < group; p += 2)
        plan.packed.push_back(pair(tap[p] >> low_weight_bits, tap[p + 1] >> low_weight_bits));
      for (int p = 0; p < group; p += 2) plan.packed.push_back(pair(tap[p] & low_mask, tap[p + 1] & low_mask));
    }
  }
  plan.pass.packed = plan.packed.data();
}

void set_pass(Plan& plan) {
  const AxisWeights& weights = plan.weights;
  plan.pass = {.outputs = static_cast<int>(weights.first.size()),
               .taps = weights.taps,
               .precision = weights.precision,
               .first = weights.first.data(),
               .count = weights.count.data(),
               .values = weights.values.data()};
}

// How many rows from the top the SIMD kernels may read without leaving the memory: see resample_kernels.h.
int readable_rows(const View& source, const ResamplePass& pass) {
  const std::ptrdiff_t row_end = std::ptrdiff_t{3} * pass.first[pass.outputs - 1] + 12 * pass.groups + 4;
  const std::ptrdiff_t spare = static_cast<std::ptrdiff_t>(source.bytes_left) - row_end;
  return spare < 0 ? 0 : static_cast<int>(std::min<std::ptrdiff_t>(source.rows, spare / source.stride + 1));
}

Picture run_across(const View& source, int channels, Plan& plan, Isa isa) {
  set_pass(plan);
  Picture result = make_picture(plan.pass.outputs, source.rows, channels);
  int simd_rows = 0;
  if (isa != Isa::portable && channels == 3) {
    pack(plan, 4);
    simd_rows = readable_rows(source, plan.pass);
  }
  const auto stride = static_cast<std::ptrdiff_t>(result.row_bytes());
  const ResampleBytes upper{source.data, source.stride, result.pixels.data(), stride, simd_rows};
  const ResampleBytes lower{source.data + simd_rows * source.stride, source.stride,
                            result.pixels.data() + simd_rows * stride, stride, source.rows - simd_rows};
#if defined(__x86_64__)
  if (isa >= Isa::avx512) avx512::resample_across_rgb(upper, plan.pass);
  if (isa == Isa::avx2) avx2::resample_across_rgb(upper, plan.pass);
#endif
  portable::resample_across(lower, channels, plan.pass);
  return result;
}

void run_down(const ResampleBytes& bytes, int row_bytes, Plan& plan, Isa isa) {
#if defined(__x86_64__)
  if (isa != Isa::portable) pack(plan, 2);
  if (isa >= Isa::avx512 && row_bytes >= 32) return avx512::resample_down(bytes, row_bytes, plan.pass);
  if (isa != Isa::portable && row_bytes >= 16) return avx2::resample_down(bytes, row_bytes, plan.pass);
#endif
  portable::resample_down(bytes, row_bytes, plan.pass);
}

Picture run_down(const View& source, int width, int channels, Plan& plan, Isa isa) {
  set_pass(plan);
  Picture result = make_picture(width, plan.pass.outputs, channels);
  const auto row_bytes = static_cast<int>(result.row_bytes());
  run_down({source.data, source.stride, result.pixels.data(), row_bytes, source.rows}, row_bytes, plan, isa);
  return result;
}

AxisWeights weights_for(const ResizeOptions& options, const Axis& axis, Range wanted) {
  if (options.backend == Backend::torchvision) return torch_weights(options.filter, axis, wanted);
  return pillow_weights(options.filter, axis, wanted);
}

bool needs_resampling(const Axis& axis) {
  return axis.source != axis.result || axis.left != 0 || axis.right != static_cast<float>(axis.result);
}

struct Job {
  Axis across, down;
  Range columns, rows;  // of the result
};

Picture copy(const View& source, int width, int channels) {
  Picture part = make_picture(width, source.rows, channels);
  for (int y = 0; y < source.rows; ++y) std::memcpy(part.row(y), source.data + y * source.stride, part.row_bytes());
  return part;
}

// The source pixels that the weights use; the weights count from its first pixel afterwards.
Range take_source_range(AxisWeights& weights) {
  const Range range = weights.source_range();
  for (std::int32_t& first : weights.first) first -= range.first;
  return range;
}

// Pillow 13 spares work by resizing tall pictures vertically first, which moves roundings (its pull request 9549).
bool vertical_first(const Job& job, Backend backend) {
  const int rows_less = job.down.source - job.down.result;
  const int columns_less = job.across.source - job.across.result;
  return backend == Backend::pil && rows_less > 0 && rows_less > 2 * columns_less;
}

Picture resample(const Picture& picture, const Job& job, const ResizeOptions& options) {
  const Isa isa = options.isa ? *options.isa : chosen_isa();
  Range columns = job.columns;
  Range rows = job.rows;
  Plan across;
  Plan down;
  const bool resample_across = needs_resampling(job.across);
  const bool resample_down = needs_resampling(job.down);
  if (resample_across) {
    across.weights = weights_for(options, job.across, job.columns);
    columns = take_source_range(across.weights);
  }
  if (resample_down) {
    down.weights = weights_for(options, job.down, job.rows);
    rows = take_source_range(down.weights);
  }
  const View source = part_of(picture, columns, rows);
  const int channels = picture.channels;
  if (!resample_across && !resample_down) return copy(source, columns.count, channels);
  if (!resample_down) return run_across(source, channels, across, isa);
  if (!resample_across) return run_down(source, columns.count, channels, down, isa);
  if (vertical_first(job, options.backend)) {
    const Picture between = run_down(source, columns.count, channels, down, isa);
    return run_across(view_of(between), channels, across, isa);
  }
  const Picture between = run_across(source, channels, across, isa);
  return run_down(view_of(between), between.width, channels, down, isa);
}

Picture pick_nearest(const Picture& picture, const Job& job) {
  const auto columns = nearest_positions(job.across, job.columns);
  const auto rows = nearest_positions(job.down, job.rows);
  Picture result = make_picture(job.columns.count, job.rows.count, picture.channels);
  std::uint8_t* out = result.pixels.data();
  const auto channels = static_cast<std::size_t>(picture.channels);
  for (const std::int32_t y : rows) {
    for (const std::int32_t x : columns) {
      std::memcpy(out, picture.row(y) + static_cast<std::size_t>(x) * channels, channels);
      out += channels;
    }
  }
  return result;
}

void check(const Picture& picture, const Job& job, const ResizeOptions& options) {
  ASSERT(picture.channels == 1 || picture.channels == 3, "gray and RGB are resized");
  ASSERT(picture.width > 0 && picture.height > 0 && job.across.result > 0 && job.down.result > 0,
         "a picture has pixels");
  ASSERT(job.across.left >= 0 && job.down.left >= 0 && job.across.right <= static_cast<float>(picture.width) &&
             job.down.right <= static_cast<float>(picture.height) && job.across.left < job.across.right &&
             job.down.left < job.down.right,
         "the box lies in the picture");
  ASSERT(job.columns.first >= 0 && job.columns.count > 0 &&
             job.columns.first + job.columns.count <= job.across.result && job.rows.first >= 0 && job.rows.count > 0 &&
             job.rows.first + job.rows.count <= job.down.result,
         "the window lies in the result");
  if (options.backend == Backend::pil) return;
  ASSERT(!options.box, "only the pil backend has a box");
  if (options.filter == Filter::bilinear || options.filter == Filter::bicubic) return;
  throw Error(ErrorKind::usage,
              "the torchvision backend resizes with bilinear or bicubic only; choose the pil backend");
}

}  // namespace

Picture resize(const Picture& picture, int width, int height, const ResizeOptions& options) {
  const Box box =
      options.box.value_or(Box{0, 0, static_cast<float>(picture.width), static_cast<float>(picture.height)});
  const Window window = options.window.value_or(Window{0, 0, width, height});
  const Job job{.across = {picture.width, width, box.left, box.right},
                .down = {picture.height, height, box.top, box.bottom},
                .columns = {window.left, window.width},
                .rows = {window.top, window.height}};
  check(picture, job, options);
  const bool unchanged = !needs_resampling(job.across) && !needs_resampling(job.down);
  if (options.filter == Filter::nearest && !unchanged) return pick_nearest(picture, job);
  return resample(picture, job, options);
}

}  // namespace nunchi::image
