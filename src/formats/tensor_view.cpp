#include "formats/tensor_view.h"

namespace nunchi::formats {

std::int64_t TensorView::count() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

bool TensorView::aligned() const { return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment(dtype) == 0; }

}  // namespace nunchi::formats
