#include "ops/weight_gradient.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <memory>

#include "core/round_up.h"
#include "ops/transpose.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

constexpr int64_t chunk_rows = 128;    // of both sides at a time
constexpr int64_t tile_rows = 192;     // of the product, at most: columns of the narrow side
constexpr int64_t tile_columns = 768;  // of the product: 128 of these rows fit into the second cache

struct Side {
  const float* data;  // [m, width]
  int64_t width;
  float* sums = nullptr;  // [width], where the sum of the rows is asked for
};

void add_rows(const float* from, int64_t stride, int64_t rows, int64_t columns, float* sums) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) sums[c] += from[r * stride + c];
  }
}

// The product narrow^T wide in tiles; each is the work of one thread, over all rows.
class Product {
 public:
  Product(Side narrow, Side wide, int64_t rows, float* out) : narrow_(narrow), wide_(wide), rows_(rows), out_(out) {
    const int64_t threads = at::get_num_threads();
    tile_ = std::min(narrow.width, divided_up(narrow.width, threads * divided_up(narrow.width, threads * tile_rows)));
  }

  void run() const {
    const auto down = divided_up(narrow_.width, tile_), across = divided_up(wide_.width, tile_columns);
    at::parallel_for(0, down * across, 1, [&](int64_t begin, int64_t end) {
      const std::unique_ptr<float[]> turned(new float[tile_ * chunk_rows]);
      for (auto i = begin; i < end; ++i) tile(i % down * tile_, i / down * tile_columns, turned.get());
    });
  }

 private:
  void tile(int64_t row, int64_t column, float* turned) const {
    const auto height = std::min(tile_, narrow_.width - row), width = std::min(tile_columns, wide_.width - column);
    for (int64_t first = 0; first < rows_; first += chunk_rows) {
      const auto m = std::min(chunk_rows, rows_ - first);
      const float* left = narrow_.data + first * narrow_.width + row;
      const float* right = wide_.data + first * wide_.width + column;
      transpose(left, narrow_.width, m, height, turned, chunk_rows);
      if (narrow_.sums && column == 0) add_rows(left, narrow_.width, m, height, narrow_.sums + row);
      if (wide_.sums && row == 0) add_rows(right, wide_.width, m, width, wide_.sums + column);
      at::native::cpublas::brgemm(height, width, m, chunk_rows, wide_.width, wide_.width, /*add_C=*/first > 0, turned,
                                  right, out_ + row * wide_.width + column);
    }
  }

  Side narrow_, wide_;
  int64_t rows_;
  float* out_;
  int64_t tile_;
};

}  // namespace

WeightGradient weight_gradient(const Tensor& dy, const Tensor& x) {
  const auto rows = dy.size(0), out = dy.size(1), in = x.size(1);
  Tensor bias = at::zeros({out}, dy.options());
  const Side of_y{dy.const_data_ptr<float>(), out, bias.mutable_data_ptr<float>()};
  const Side of_x{x.const_data_ptr<float>(), in};
  const bool turned = out > in;
  Tensor product = at::empty(turned ? Shape{in, out} : Shape{out, in}, dy.options());
  Product(turned ? of_x : of_y, turned ? of_y : of_x, rows, product.mutable_data_ptr<float>()).run();
  return {turned ? product.t().contiguous() : product, bias};
}

}  // namespace nunchi::ops
