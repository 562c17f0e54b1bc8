#include "ops/int8_product.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/linear_int8.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

#ifdef __x86_64__
// LibTorch's product of bytes has AMX; it wants rows beside each other.
void multiply_by_brgemm(const CodeProduct& p) {
  const bool beside = p.pieces == 1 && p.row_at[p.rows - 1] - p.row_at[0] == (p.rows - 1) * p.length;
  if (!beside) return avx512_vnni::multiply_codes(p);
  at::native::cpublas::brgemm(p.rows, tile_columns, p.length, p.length, tile_columns, tile_columns, false,
                              p.codes + p.row_at[0] + p.piece_at[0], reinterpret_cast<const signed char*>(p.block),
                              p.products, /*is_vnni=*/true);
}

MultiplyCodes chosen_product() {
  const auto& cpu = cpu_info();
  if (chosen_isa() >= Isa::avx512 && cpu.amx_int8) return multiply_by_brgemm;
  if (chosen_isa() == Isa::avx512 && cpu.avx512_vnni) return avx512_vnni::multiply_codes;
  if (chosen_isa() == Isa::avx2 && cpu.avx_vnni) return avx_vnni::multiply_codes;
  return NUNCHI_OF_CHOSEN_ISA_OR_BF16(int8_kernels).multiply;
}
#else
MultiplyCodes chosen_product() { return portable::int8_kernels.multiply; }
#endif

bool are_ranges(const RowCode* of_row, int64_t rows) {
  return std::none_of(of_row, of_row + rows, [](RowCode code) { return std::isnan(code.low); });
}

// About 64 rows to a tile, evenly, in whole sixes, which are what the kernels hold in their registers.
int64_t rows_of_tile(int64_t rows) {
  constexpr int64_t most = 64;
  return rounded_up(divided_up(rows, divided_up(rows, most)), 6);
}

constexpr int64_t zero = 0;  // where the one piece of a row begins

// A row's codes beside each other, and its range.
template <class T>
struct Quantised {
  int64_t depth;
  std::unique_ptr<std::uint8_t[]> codes;
  std::unique_ptr<RowCode[]> of_row;

  Quantised(int64_t rows, int64_t in)
      : depth(rounded_up(in, 4)), codes(new std::uint8_t[rows * depth]), of_row(new RowCode[rows]) {}

  CodeRows take(const NumberRows<T>& x) {
    const auto quantise = int8_kernels().of(x.x).quantise;
    at::parallel_for(0, x.rows, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) of_row[i] = quantise(x.x + i * x.in, x.in, codes.get() + i * depth);
    });
    return {.codes = codes.get(),
            .rows = x.rows,
            .columns = 1,
            .row_step = depth,
            .column_step = 0,
            .piece_at = &zero,
            .pieces = 1,
            .length = depth,
            .of_row = of_row.get(),
            .of_all = {}};
  }
};

// Rows to a part that one thread takes from numbers to numbers, its codes in the second cache; all of them where there
// are too few to share out.
int64_t rows_of_part(int64_t rows, int64_t in) {
  const int64_t threads = at::get_num_threads(), most = std::clamp<int64_t>((int64_t{256} << 10) / in, 64, 512);
  if (rows < 2 * threads * most) return rows;
  return divided_up(rows, rounded_up(divided_up(rows, most), threads));
}

}  // namespace

const Int8Kernels& int8_kernels() {
  static const Int8Kernels chosen = [] {
    auto kernels = NUNCHI_OF_CHOSEN_ISA_OR_BF16(int8_kernels);
    kernels.multiply = chosen_product();
    return kernels;
  }();
  return chosen;
}

template <class T>
void multiply_codes(const CodeRows& rows, const Int8Weights& w, const Int8Result<T>& result) {
  const auto& kernels = int8_kernels();
  const auto height = rows_of_tile(rows.rows), down = divided_up(rows.rows, height), across = w.blocks.size(0);
  const auto depth = rows.pieces * rows.length;
  // Tiles below each other share their weights, as long as their codes stay in the second cache.
  const auto together = std::clamp<int64_t>((int64_t{512} << 10) / (height * depth), 1, down);
  const auto* blocks = w.blocks.const_data_ptr<std::int8_t>();
  const auto *scales = w.scales.const_data_ptr<float>(), *sums = w.sums.const_data_ptr<float>();
  at::parallel_for(0, down * across, 1, [&](int64_t begin, int64_t end) {
    const std::unique_ptr<std::int32_t[]> products(new std::int32_t[height * tile_columns]);
    std::vector<int64_t> row_at(static_cast<std::size_t>(height));
    const std::vector<RowCode> alike(static_cast<std::size_t>(height), rows.of_all);
    for (int64_t task = begin; task < end; ++task) {
      const auto group = task / (together * across) * together, in_group = std::min(together, down - group);
      const auto within = task - group * across;
      const auto column = within / in_group * tile_columns, first = (group + within % in_group) * height;
      const auto height_here = std::min(height, rows.rows - first), columns = std::min(tile_columns, w.out - column);
      for (int64_t i = 0; i < height_here; ++i) row_at[static_cast<std::size_t>(i)] = rows.at(first + i);
      kernels.multiply({.codes = rows.codes,
                        .row_at = row_at.data(),
                        .piece_at = rows.piece_at,
                        .rows = height_here,
                        .columns = columns,
                        .pieces = rows.pieces,
                        .length = rows.length,
                        .block = blocks + column * depth,
                        .products = products.get()});
      const auto target = result.target.from(first * w.out + column);
      const auto* of_row = rows.of_row ? rows.of_row + first : alike.data();
      if (target.out_codes && !are_ranges(of_row, height_here)) *result.lost = true;
      kernels.of(target.out)
          .finish({.products = products.get(),
                   .rows = height_here,
                   .columns = columns,
                   .of_row = of_row,
                   .scales = scales + column,
                   .sums = sums + column,
                   .bias = result.bias + column,
                   .activation = result.activation,
                   .residual_first = result.residual_first,
                   .layer_scale = result.layer_scale ? result.layer_scale + column : nullptr},
                  target);
    }
    if (cpu_info().amx_int8) at::native::cpublas::brgemm_release();
  });
}

template <class T>
void multiply_rows(const NumberRows<T>& x, const Int8Weights& w, const Int8Result<T>& result) {
  const auto part = rows_of_part(x.rows, x.in);
  if (part == x.rows) return multiply_codes(Quantised<T>(part, x.in).take(x), w, result);
  at::parallel_for(0, divided_up(x.rows, part), 1, [&](int64_t begin, int64_t end) {
    Quantised<T> quantised(part, x.in);
    for (int64_t i = begin; i < end; ++i) {
      const auto first = i * part;
      const NumberRows<T> here{x.x + first * x.in, std::min(part, x.rows - first), x.in};
      multiply_codes(quantised.take(here), w, result.from(first * w.out));
    }
  });
}

template void multiply_codes(const CodeRows&, const Int8Weights&, const Int8Result<float>&);
template void multiply_codes(const CodeRows&, const Int8Weights&, const Int8Result<Bf16Bits>&);
template void multiply_rows(const NumberRows<float>&, const Int8Weights&, const Int8Result<float>&);
template void multiply_rows(const NumberRows<Bf16Bits>&, const Int8Weights&, const Int8Result<Bf16Bits>&);

RowCode row_code(const std::optional<CodeScale>& scale) {
  if (!scale) return {0, 1};
  return {static_cast<float>(-scale->scale * static_cast<double>(scale->zero)), static_cast<float>(scale->scale)};
}

at::ScalarType numbers_dtype(const Tensor& x) { return scale_of(x) ? int8_activation_dtype() : x.scalar_type(); }

Tensor exactly(const Tensor& x) {
  const Tensor wide = x.to(at::kFloat);
  const auto scale = scale_of(x);
  return scale ? (wide - static_cast<double>(scale->zero)) * scale->scale : wide;
}

Tensor in_channels_last(const Tensor& x) {
  Tensor dense = x.contiguous(at::MemoryFormat::ChannelsLast);
  if (const auto scale = scale_of(x); scale && !dense.is_same(x)) set_scale(dense, *scale);
  return dense;
}

Tensor in_whole_tiles(const Tensor& per_channel, const Int8Weights& w) {
  const auto channels = w.scales.size(0);
  if (!per_channel.defined()) return at::zeros({channels}, at::kFloat);
  return at::constant_pad_nd(per_channel.to(at::kFloat), {0, channels - w.out});
}

}  // namespace nunchi::ops
