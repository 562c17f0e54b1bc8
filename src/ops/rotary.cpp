#include "ops/rotary.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include "ops/op_scope.h"

namespace nunchi::ops {
namespace {

// A quarter turn of each pair: (a, b) -> (-b, a).
Tensor turned(const Tensor& x, RotaryPairs pairs) {
  if (pairs == RotaryPairs::halves) {
    const auto parts = x.chunk(2, -1);
    return at::cat({-parts[1], parts[0]}, -1);
  }
  const Tensor first = x.slice(-1, 0, std::nullopt, 2), second = x.slice(-1, 1, std::nullopt, 2);
  return at::stack({-second, first}, -1).flatten(-2);
}

}  // namespace

Tensor rotate(const Tensor& x, const RotaryTable& table) {
  const OpScope scope("rotate", {&x, &table.cos, &table.sin});
  const auto per_head = [&](const Tensor& t) { return (t.dim() == 2 ? t.unsqueeze(1) : t).to(x.scalar_type()); };
  const Tensor patches = x.slice(1, table.prefix_tokens);
  ASSERT(table.cos.size(0) == patches.size(1), "a rotary table has one row per patch");
  const Tensor rotated = patches * per_head(table.cos) + turned(patches, table.pairs) * per_head(table.sin);
  if (table.prefix_tokens == 0) return scope.result(rotated);
  return scope.result(at::cat({x.slice(1, 0, table.prefix_tokens), rotated}, 1));
}

}  // namespace nunchi::ops
