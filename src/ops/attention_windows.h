// ops/attention_windows.h: tokens of a map that attend to one another in windows (Liu et al. 2021), where they lie.
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

// Every row of a map is in one window, once.
struct AttentionWindows {
  Tensor rows;    // [windows, n], int64: the row of each token of a window
  Tensor places;  // [windows * n], int64: where each row stands in `rows`
};

// Rows [n, head_dim] of one head: one after the other, or as a window numbers them.
template <class T>
struct HeadRows {
  T* first;
  std::int64_t stride;
  const std::int64_t* numbers = nullptr;

  T* row(std::int64_t i) const { return first + (numbers != nullptr ? numbers[i] : i) * stride; }
  HeadRows from(std::int64_t i) const {
    return numbers != nullptr ? HeadRows{first, stride, numbers + i} : HeadRows{row(i), stride};
  }
};

// What attends to itself: pictures, or each window of each picture, window after window.
class AttentionSamples {
 public:
  AttentionSamples() = default;  // pictures
  explicit AttentionSamples(const std::optional<AttentionWindows>& windows) {
    if (!windows) return;
    ASSERT(windows->rows.is_contiguous() && windows->rows.scalar_type() == at::kLong, "windows number their rows");
    if (windows->rows.is_cpu()) numbers_ = windows->rows.const_data_ptr<std::int64_t>();  // else only counts are asked
    windows_ = windows->rows.size(0);
    tokens_ = windows->rows.size(1);
  }

  bool are_windows() const { return tokens_ > 0; }
  std::int64_t of(std::int64_t pictures) const { return pictures * windows_; }
  std::int64_t tokens_of(const Tensor& t) const { return are_windows() ? tokens_ : t.size(1); }

  // t: [b, n, heads, head_dim], its last axis contiguous; data: where it lies.
  template <class T>
  HeadRows<T> head(T* data, const Tensor& t, std::int64_t sample, std::int64_t head) const {
    return {data + sample / windows_ * t.stride(0) + head * t.stride(2), t.stride(1),
            are_windows() ? numbers_ + sample % windows_ * tokens_ : nullptr};
  }

 private:
  const std::int64_t* numbers_ = nullptr;
  std::int64_t windows_ = 1, tokens_ = 0;
};

}  // namespace nunchi::ops
