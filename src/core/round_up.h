// core/round_up.h: quotients and multiples, rounded up. For counts: neither argument is negative.
#pragma once

#include <cstdint>

namespace nunchi {

constexpr std::int64_t divided_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step; }

constexpr std::int64_t rounded_up(std::int64_t value, std::int64_t step) { return divided_up(value, step) * step; }

}  // namespace nunchi
