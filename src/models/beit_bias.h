// models/beit_bias.h: what BEiT's attention adds to its scores by the way from one token to another.
//
//   RelativeBias bias({14, 14}, 12, Resampling::bilinear);
//   const Tensor added = bias.forward({24, 24});   // [1, 12, 577, 577]
#pragma once

#include "core/latest.h"
#include "nn/module.h"
#include "nn/position.h"

namespace nunchi::models {

// How tables come to another size. bilinear: transformers, which reads the ways with rows and columns exchanged where
// the trained grid is not square. spread: timm and the authors; the trained ways are spread over the new window, the
// further apart the longer they are, and what lies between them is interpolated.
enum class Resampling { bilinear, spread };

// Key `relative_position_bias_table` [(2 rows - 1) * (2 columns - 1) + 3, heads]; the last three rows are for class to
// patch, patch to class, and class to itself.
class RelativeBias : public nn::Module {
 public:
  RelativeBias(nn::Grid trained, std::int64_t heads, Resampling resampling);

  Tensor forward(nn::Grid grid) const;  // [1, heads, 1 + n, 1 + n]

  void freeze(const nn::FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

 private:
  Tensor gather(nn::Grid grid) const;
  Tensor table_for(nn::Grid grid) const;

  Tensor table_;
  nn::Grid trained_;
  std::int64_t heads_;
  Resampling resampling_;
  bool frozen_ = false;
  Latest<nn::Grid, Tensor> gathered_;  // while frozen: its table does not change
};

}  // namespace nunchi::models
