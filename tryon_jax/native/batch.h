// Batches of the kernels: results have leading axes that operands share, or have as 1.

#ifndef TRYON_JAX_NATIVE_BATCH_H_
#define TRYON_JAX_NATIVE_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

// Which item of an operand belongs to item `index` of the result, whose leading axes it shares or has as 1.
inline int64_t Item(int64_t index, ffi::Span<const int64_t> result, ffi::Span<const int64_t> operand, size_t leading) {
  int64_t item = 0, stride = 1;
  for (size_t axis = leading; axis-- > 0;) {
    int64_t place = index % result[axis];
    index /= result[axis];
    if (operand[axis] != 1) item += place * stride;
    stride *= operand[axis];
  }
  return item;
}

inline int64_t Items(ffi::Span<const int64_t> result, size_t leading) {
  int64_t count = 1;
  for (size_t axis = 0; axis < leading; ++axis) count *= result[axis];
  return count;
}

#endif  // TRYON_JAX_NATIVE_BATCH_H_
