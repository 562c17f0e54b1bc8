// cli/heat_map.h: numbers of the network as a heat map to draw.
//
//   panel.heat = heat_of(map);   // [rows, columns]
#pragma once

#include "draw/overlay.h"
#include "ops/numbers.h"

namespace nunchi::cli {

// map [rows, columns].
inline draw::HeatMap heat_of(const Tensor& map) {
  return {.rows = static_cast<int>(map.size(0)),
          .columns = static_cast<int>(map.size(1)),
          .values = ops::numbers_of<float>(map)};
}

}  // namespace nunchi::cli
