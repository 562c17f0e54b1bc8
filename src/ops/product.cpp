#include "ops/product.h"

#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "core/isa.h"
#include "core/round_up.h"
#include "ops/linear_int8.h"

namespace nunchi::ops {
namespace {

using std::int64_t;

#ifdef __x86_64__
// A product for each run of rows that lie evenly, and for each piece of them.
template <class X, class Weight, class Given, class T>
void multiply_runs(const Product<Given, T>& p) {
  const auto* block = reinterpret_cast<const Weight*>(p.block);
  for (int64_t first = 0, next = 0; first < p.rows; first = next) {
    const auto to_next = first + 1 < p.rows ? p.row_at[first + 1] - p.row_at[first] : p.length;
    const auto step = std::max<int64_t>(to_next, 1);  // a window may go back
    for (next = first + 1; next < p.rows && p.row_at[next] - p.row_at[next - 1] == step;) ++next;
    for (int64_t piece = 0; piece < p.pieces; ++piece) {
      at::native::cpublas::brgemm(next - first, tile_columns, p.length, step, tile_columns, p.products_stride,
                                  /*add_C=*/piece > 0,
                                  reinterpret_cast<const X*>(p.x + p.row_at[first] + p.piece_at[piece]),
                                  block + piece * p.length * tile_columns, p.products + first * p.products_stride,
                                  /*is_vnni=*/true);
    }
  }
}

ProductKernels chosen_for_registers() {
  auto kernels = NUNCHI_OF_CHOSEN_ISA_OR_BF16(product_kernels);
  const auto& cpu = cpu_info();
  if (chosen_isa() == Isa::avx512 && cpu.avx512_vnni) kernels.multiply_codes = avx512_vnni::multiply_codes;
  if (chosen_isa() == Isa::avx2 && cpu.avx_vnni) kernels.multiply_codes = avx_vnni::multiply_codes;
  return kernels;
}

// LibTorch's product is taken for AMX. NUNCHI_AMX=0 rules it out, 1 takes it where it runs on AVX-512 alone, to test
// it.
bool takes_brgemm(bool has_amx, bool can_run) {
  const char* forced = std::getenv("NUNCHI_AMX");
  const std::string_view wanted = forced ? forced : has_amx ? "1" : "0";
  if (wanted != "0" && wanted != "1") {
    throw Error(ErrorKind::usage,
                fmt::format("NUNCHI_AMX: expected 0 (never) or 1 (products as with AMX), found {}", wanted));
  }
  return wanted == "1" && can_run && chosen_isa() >= Isa::avx512;
}

ProductKernels chosen_kernels() {
  auto kernels = register_kernels();
  const auto& cpu = cpu_info();
  if (takes_brgemm(cpu.amx_int8, cpu.avx512_vnni)) kernels.multiply_codes = codes_by_brgemm;
  if (takes_brgemm(cpu.amx_bf16, cpu.avx512_bf16)) kernels.multiply_halves = halves_by_brgemm;
  return kernels;
}
#else
ProductKernels chosen_for_registers() { return portable::product_kernels; }
ProductKernels chosen_kernels() { return register_kernels(); }
#endif

// About 64 rows to a tile, or more where they are short, or fewer where there would be few tiles for a thread; evenly,
// in whole sixes, which are what the kernels hold in their registers.
int64_t rows_of_tile(int64_t rows, int64_t depth, int64_t across) {
  constexpr int64_t least = 12, tiles_of_thread = 8;
  const auto in_cache = std::clamp<int64_t>(8192 / std::max<int64_t>(depth, 1), 64, 256);
  const auto of_share = threads_here() > 1 ? rows * across / (threads_here() * tiles_of_thread) : rows;
  const auto most = std::clamp(of_share, least, in_cache);
  return rounded_up(divided_up(rows, divided_up(rows, most)), 6);
}

// Tasks in equal shares, one after the other. Who has done all of a share goes on with the next one.
class Shares {
 public:
  Shares(int64_t tasks, int64_t threads) : tasks_(tasks), next_(static_cast<std::size_t>(threads)) {
    for (int64_t i = 0; i < threads; ++i) next_[static_cast<std::size_t>(i)] = begin(i);
  }
  void take(int64_t thread, const auto& run) {
    const auto threads = std::ssize(next_);
    for (int64_t i = 0; i < threads; ++i) {
      const auto share = (thread + i) % threads;
      auto& next = next_[static_cast<std::size_t>(share)];
      for (int64_t task = 0; (task = next.fetch_add(1, std::memory_order_relaxed)) < begin(share + 1);) run(task);
    }
  }

 private:
  int64_t begin(int64_t share) const { return tasks_ * share / std::ssize(next_); }

  int64_t tasks_;
  std::vector<std::atomic<int64_t>> next_;
};

// Where numbers are to stay, if tiles can become what is asked for in the registers.
template <class T>
std::optional<Bounds> direct_bounds(const ProductResult<T>& result) {
  const auto& to = result.target;
  const bool in_order = !(to.residual || to.residual_codes) || result.residual_first;
  if (result.layer_scale || (!in_order && result.activation != Activation::none)) return std::nullopt;
  return bounds_of(result.activation);
}

// What a number is in units of what is stored: itself, or a code.
struct Unit {
  float steps = 1, zero = 0;

  static Unit of(RowCode code) { return {1 / code.step, -code.low / code.step}; }
  float code(float number) const { return std::clamp(number * steps + zero, 0.F, 255.F); }
};

// Where all rows have one range, a sum of products of codes stands for scale * sum + bias, in any unit.
struct OneRange {
  std::vector<float> scales, bias;

  // `more` is added to all numbers.
  OneRange(const PackedWeight& w, RowCode of_rows, Unit unit, float more)
      : scales(static_cast<std::size_t>(w.scales.numel())), bias(scales.size()) {
    const auto* of_channel = w.scales.const_data_ptr<float>();
    const auto *sums = w.sums.const_data_ptr<float>(), *added = w.bias.const_data_ptr<float>();
    for (std::size_t j = 0; j < scales.size(); ++j) {
      scales[j] = of_channel[j] * of_rows.step * unit.steps;
      bias[j] = (sums[j] * of_rows.low + added[j] + more) * unit.steps + unit.zero;
    }
  }
};

// Tiles below each other that are done before those beside them. They share their weights, which are most of what is
// read; where the second cache holds all weights, a row of tiles is done at a time, so that what is written lies
// together. Each thread has rows of its own, which its cache may know from the layer before; where there are too few,
// columns.
int64_t tiles_of_band(int64_t down, std::size_t weight_bytes) {
  constexpr std::size_t cached = std::size_t{256} << 10;
  if (weight_bytes <= cached) return 1;
  return down >= 4 * threads_here() ? divided_up(down, threads_here()) : down;
}

// The product, in tiles of about 64 rows by 64 columns.
template <class X, class T>
class Tiles {
 public:
  using Sum = typename Operand<X>::Sum;
  static constexpr bool of_codes = std::is_same_v<X, std::uint8_t>;

  Tiles(const ProductRows<X>& rows, const PackedWeight& weight, const ProductResult<T>& result,
        const ProductKernels& kernels)
      : rows_(rows.joined()),
        weight_(weight),
        result_(result),
        kernels_(kernels),
        multiply_(kernels.of_product(static_cast<const Product<X, T>*>(nullptr))),
        height_(rows_of_tile(rows.rows, rows.pieces * rows.length, weight.blocks.size(0))),
        down_(divided_up(rows.rows, height_)),
        band_(tiles_of_band(down_, weight.blocks.nbytes())) {
    const auto& to = result.target;
    const bool one_range = of_codes && !rows.of_row, in_numbers = !to.out_codes && !to.residual_codes;
    if (multiply_.direct && (in_numbers || (one_range && !(to.out_codes && to.residual))))
      direct_ = direct_bounds(result);
    if (direct_ && to.out_codes) {
      unit_ = Unit::of(to.of_out);
      direct_ = Bounds{unit_.code(direct_->low), unit_.code(direct_->high)};
    }
    if (!one_range) return;
    one_range_.emplace(weight, rows.of_all, unit_, direct_ && to.residual_codes ? to.of_residual.low : 0);
    if (to.out_codes && std::isnan(rows.of_all.low)) *result.lost = true;
  }

  // Of one thread.
  struct Scratch {
    std::unique_ptr<Sum[]> products;
    std::unique_ptr<int64_t[]> row_at;
    std::unique_ptr<PieceRange[]> seen;

    explicit Scratch(const Tiles& tiles)
        : products(new Sum[tiles.height_ * tile_columns]),
          row_at(new int64_t[tiles.height_]),
          seen(tiles.rows_.seen ? new PieceRange[tiles.height_] : nullptr) {}
  };

  int64_t count() const { return down_ * weight_.blocks.size(0); }

  void run(int64_t tile, const Scratch& scratch) const {
    const auto across = weight_.blocks.size(0), top = tile / (band_ * across) * band_;
    const auto in_band = std::min(band_, down_ - top), within = tile - top * across;
    const auto column = within / in_band * tile_columns, first = (top + within % in_band) * height_;
    const auto count = std::min(height_, rows_.rows - first);
    const auto target = result_.target.from(first * weight_.out + column);
    const auto* blocks = static_cast<const typename Operand<X>::Weight*>(weight_.blocks.const_data_ptr());
    rows_.places(first, count, scratch.row_at.get(), scratch.seen.get());
    const auto map = map_at(column, first);
    const auto is_none = [](RowCode code) { return std::isnan(code.low); };
    if (map.of_row && target.out_codes && std::any_of(map.of_row, map.of_row + count, is_none)) *result_.lost = true;
    Product<X, T> product{.x = rows_.x,
                          .row_at = scratch.row_at.get(),
                          .piece_at = rows_.piece_at,
                          .rows = count,
                          .columns = std::min(tile_columns, weight_.out - column),
                          .pieces = rows_.pieces,
                          .length = rows_.length,
                          .block = blocks + column * rows_.pieces * rows_.length,
                          .products = scratch.products.get(),
                          .seen = scratch.seen.get()};
    if (direct_) {
      product.direct = {target, map, target.of_residual.step * unit_.steps, direct_->low, direct_->high};
    }
    multiply_.run(product);
    if (direct_) return;
    kernels_.finish(Tile<Sum>{.products = product.products,
                              .rows = count,
                              .columns = product.columns,
                              .map = map,
                              .activation = result_.activation,
                              .residual_first = result_.residual_first,
                              .layer_scale = result_.layer_scale ? result_.layer_scale + column : nullptr},
                    target);
  }

 private:
  NumberMap map_at(int64_t column, int64_t first) const {
    if (one_range_) return {.bias = &one_range_->bias[column], .scales = &one_range_->scales[column]};
    const auto at_column = [&](const Tensor& t) { return t.const_data_ptr<float>() + column; };
    if constexpr (!of_codes) return {.bias = at_column(weight_.bias)};
    return {.bias = at_column(weight_.bias),
            .scales = at_column(weight_.scales),
            .sums = at_column(weight_.sums),
            .of_row = rows_.of_row + first};
  }

  ProductRows<X> rows_;
  const PackedWeight& weight_;
  const ProductResult<T>& result_;
  const ProductKernels& kernels_;
  const Multiply<X, T>& multiply_;
  int64_t height_, down_, band_;  // of a tile; tiles below each other; of those, in a band
  std::optional<Bounds> direct_;
  Unit unit_;  // of what is made in the registers
  std::optional<OneRange> one_range_;
};

// Rows beside each other.
template <class X>
ProductRows<X> beside(const X* x, int64_t rows, int64_t length) {
  return {.x = x,
          .rows = rows,
          .height = 1,
          .width = rows,
          .map_step = rows * length,
          .row_step = rows * length,
          .column_step = length,
          .piece_at = &whole_row,
          .pieces = 1,
          .length = length};
}

// A row's codes beside each other, and its range.
template <class T>
struct Quantised {
  int64_t depth;
  std::unique_ptr<std::uint8_t[]> codes;
  std::unique_ptr<RowCode[]> of_row;

  Quantised(int64_t rows, int64_t in)
      : depth(rounded_up(in, 4)), codes(new std::uint8_t[rows * depth]), of_row(new RowCode[rows]) {}

  ProductRows<std::uint8_t> take(const NumberRows<T>& x) {
    const auto quantise = product_kernels().of(x.x).quantise;
    at::parallel_for(0, x.rows, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) of_row[i] = quantise(x.x + i * x.in, x.in, codes.get() + i * depth);
    });
    auto rows = beside<std::uint8_t>(codes.get(), x.rows, depth);
    rows.of_row = of_row.get();
    return rows;
  }
};

// Rows to a part that one thread takes from numbers to numbers, its codes in the second cache; all of them where there
// are too few to share out.
int64_t rows_of_part(int64_t rows, int64_t in) {
  const int64_t threads = threads_here(), most = std::clamp<int64_t>((int64_t{256} << 10) / in, 64, 512);
  if (rows < 2 * threads * most) return rows;
  return divided_up(rows, rounded_up(divided_up(rows, most), threads));
}

template <class T>
void multiply_quantised(const NumberRows<T>& x, const PackedWeight& w, const ProductResult<T>& result) {
  const auto part = rows_of_part(x.rows, x.in);
  if (part == x.rows) return multiply(Quantised<T>(part, x.in).take(x), w, result);
  at::parallel_for(0, divided_up(x.rows, part), 1, [&](int64_t begin, int64_t end) {
    Quantised<T> quantised(part, x.in);
    for (int64_t i = begin; i < end; ++i) {
      const auto first = i * part;
      const NumberRows<T> here{x.x + first * x.in, std::min(part, x.rows - first), x.in};
      multiply(quantised.take(here), w, result.from(first * w.out));
    }
  });
}

}  // namespace

void products_done() {
  if (cpu_info().amx_tile) at::native::cpublas::brgemm_release();
}

int64_t threads_here() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

#ifdef __x86_64__
const Multiply<Bf16Bits> halves_by_brgemm{multiply_runs<at::BFloat16, at::BFloat16>, /*direct=*/false};
const MultiplyCodes codes_by_brgemm{{multiply_runs<unsigned char, signed char>, /*direct=*/false},
                                    {multiply_runs<unsigned char, signed char>, /*direct=*/false}};
#endif

const ProductKernels& register_kernels() {
  static const ProductKernels chosen = chosen_for_registers();
  return chosen;
}

const ProductKernels& product_kernels() {
  static const ProductKernels chosen = chosen_kernels();
  return chosen;
}

template <class X>
void ProductRows<X>::places(int64_t first, int64_t count, int64_t* at, PieceRange* ranges) const {
  auto map = first / (height * width), row = first / width % height, column = first % width;
  for (int64_t i = 0; i < count; column = 0) {
    const auto place = map * map_step + row * row_step, end = std::min(i + width - column, count);
    if (seen) std::fill(ranges + i, ranges + end, seen[row]);
    for (; i < end; ++i, ++column) at[i] = place + column * column_step;
    if (++row == height) row = 0, ++map;
  }
}

// Rows that lie evenly are those of one long row.
template <class X>
ProductRows<X> ProductRows<X>::joined() const {
  const bool even = row_step == width * column_step && (rows == height * width || map_step == height * row_step);
  if (!even || seen) return *this;
  auto one = *this;
  one.width = rows;
  one.height = 1;
  return one;
}

template <class X, class T>
void multiply(const ProductRows<X>& rows, const PackedWeight& w, const ProductResult<T>& result,
              const ProductKernels& kernels) {
  const Tiles<X, T> tiles(rows, w, result, kernels);
  const auto threads = threads_here();
  Shares shares(tiles.count(), threads);
  at::parallel_for(0, threads, 1, [&](int64_t thread, int64_t) {
    typename Tiles<X, T>::Scratch scratch(tiles);
    shares.take(thread, [&](int64_t tile) { tiles.run(tile, scratch); });
    products_done();
  });
}

template <class T>
void multiply(const NumberRows<T>& x, const PackedWeight& w, const ProductResult<T>& result) {
  if (w.is_int8()) return multiply_quantised(x, w, result);
  multiply(beside(x.x, x.rows, x.in), w, result);
}

template void multiply(const ProductRows<float>&, const PackedWeight&, const ProductResult<float>&,
                       const ProductKernels&);
template void multiply(const ProductRows<Bf16Bits>&, const PackedWeight&, const ProductResult<Bf16Bits>&,
                       const ProductKernels&);
template void multiply(const ProductRows<std::uint8_t>&, const PackedWeight&, const ProductResult<float>&,
                       const ProductKernels&);
template void multiply(const ProductRows<std::uint8_t>&, const PackedWeight&, const ProductResult<Bf16Bits>&,
                       const ProductKernels&);
template void multiply(const NumberRows<float>&, const PackedWeight&, const ProductResult<float>&);
template void multiply(const NumberRows<Bf16Bits>&, const PackedWeight&, const ProductResult<Bf16Bits>&);

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

Tensor in_whole_tiles(const Tensor& per_channel, int64_t out) {
  const auto channels = rounded_up(out, tile_columns);
  if (!per_channel.defined()) return at::zeros({channels}, at::kFloat);
  const Tensor wide = per_channel.detach().to(at::kFloat).contiguous();
  return channels == out ? wide : at::constant_pad_nd(wide, {0, channels - out});
}

}  // namespace nunchi::ops
