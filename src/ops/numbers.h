// ops/numbers.h: a tensor as a plain list, for what writes and draws.
//
//   const std::vector<double> values = numbers_of<double>(tensor);   // converted, row after row
#pragma once

#include <vector>

#include "ops/tensor.h"

namespace nunchi::ops {

template <class T>
std::vector<T> numbers_of(const Tensor& tensor) {
  const Tensor values = tensor.to(c10::CppTypeToScalarType<T>::value).contiguous();
  const T* begin = values.template const_data_ptr<T>();
  return {begin, begin + values.numel()};
}

}  // namespace nunchi::ops
