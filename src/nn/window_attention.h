// nn/window_attention.h: self-attention inside windows of a map, which every other block shifts (Swin: Liu et al. 2021,
// section 3.2), also with cosine similarity and positions from coordinates (Swin v2: Liu et al. 2022, section 3).
//
//   nn::WindowAttention attention({.dim = 96, .heads = 3, .window = {7, 7}});
//   const nn::Windows windows({.map = {56, 56}, .window = {7, 7}, .shift = {3, 3}}, x.device());
//   Tensor y = windows.without_padding(attention.forward(windows.with_padding(x), windows));   // [b, 56 * 56, 96]
#pragma once

#include "core/latest.h"
#include "nn/linear.h"
#include "nn/position.h"
#include "ops/attention_windows.h"

namespace nunchi::nn {

// map [b, h, w, c] -> [b * windows, window_h, window_w, c], rows of windows first. What does not fill a window is
// padded with zeros below and to the right.
Tensor partition_windows(const Tensor& map, Grid window);

// How a map of tokens is cut into windows.
struct WindowCut {
  Grid map = {0, 0}, window = {7, 7};
  Grid shift = {0, 0};          // rows and columns that move up and left first, around the edge
  bool shift_then_pad = false;  // timm moves the bare map; everyone else the padded one
  bool operator==(const WindowCut&) const = default;

  Grid padded() const;  // whole windows
  bool is_shifted() const { return shift != Grid{0, 0}; }
};

// One cut, worked out: what depends on the size alone, to be kept from picture to picture.
class Windows {
 public:
  Windows(const WindowCut& cut, at::Device device);

  // [b, h * w, c] -> [b, windows * n, c]: behind the map as many zeros as its windows lack tokens. And back.
  Tensor with_padding(const Tensor& x) const;
  Tensor without_padding(const Tensor& x) const;

  const WindowCut& cut() const { return cut_; }
  // Of such rows; nothing where all are in one window.
  const std::optional<ops::AttentionWindows>& rows() const { return rows_; }
  // [windows, n, n]: pairs that only the way around the edge brought together; undefined without a shift.
  const Tensor& parted() const { return parted_; }

 private:
  WindowCut cut_;
  std::optional<ops::AttentionWindows> rows_;
  Tensor parted_;
};

struct WindowAttentionConfig {
  std::int64_t dim = 96, heads = 3;
  std::optional<std::int64_t> head_dim;  // dim / heads where absent
  Grid window = {7, 7};
  bool qkv_bias = true;
  bool cosine = false;              // Swin v2; the keys then have no bias
  Grid pretrained_window = {0, 0};  // Swin v2: the window whose coordinates the position network learned; 0: its own
  double parted_score = -100;       // added to the scores of parted pairs
  double attention_dropout = 0, projection_dropout = 0;
};

// Keys (timm): `qkv`, `proj` and `relative_position_bias_table` [(2 window_h - 1) * (2 window_w - 1), heads]; with
// cosine similarity `q_bias`, `v_bias`, `logit_scale` and `cpb_mlp.{0, 2}` instead of the table and qkv's bias.
class WindowAttention : public Module {
 public:
  explicit WindowAttention(const WindowAttentionConfig& config);

  // x [b, windows * n, dim] as `windows` pads it, of the configured window or a smaller one -> the same shape, and so
  // is a residual. `weights`, where given, receives [b * windows, heads, n, n].
  Tensor forward(const Tensor& x, const Windows& windows, const ops::Epilogue& epilogue = {},
                 Tensor* weights = nullptr) const;

  Tensor bias(const Windows& windows) const;  // what is added to the scores: [windows, heads, n, n]; one for all, if
                                              // nothing is parted
  void freeze(const FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

  Linear qkv, proj;

 private:
  Tensor project(const Tensor& x) const;
  Tensor bias_at(const Tensor& index, const Windows& windows) const;
  Tensor table() const;        // of relative positions: [(2 window_h - 1) * (2 window_w - 1), heads]
  Tensor scale() const;        // of the cosines: [heads, 1]
  Tensor joined_bias() const;  // [3 * inner], zero for the keys
  void forget();               // what depends on values
  bool is_frozen() const { return frozen_table_.defined(); }

  WindowAttentionConfig config_;
  Tensor table_, logit_scale_, q_bias_, v_bias_;
  std::optional<Linear> cpb_in_, cpb_out_;
  Tensor frozen_table_, frozen_scale_;  // in fp32 whatever the precision: both are small, and make large scores

  Latest<WindowCut, Tensor> bias_;   // while frozen,
  Latest<WindowCut, Tensor> index_;  // and where training changes the table
};

}  // namespace nunchi::nn
