// Depth, barycentrics and interpolated attributes of the triangles that `rasterize` saw, as `resolve` and `interpolate`
// of surface.py make them, in one pass over the pixels: what is not covered costs a store. Barycentrics are left out
// where their result has no room for them.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "batch.h"

namespace {

constexpr int32_t kOverflow = -2;

// Weights of a triangle's corners at a point, as floats; `bounded` of surface.py included.
void Weights(const float* a, const float* b, const float* c, float x, float y, float* weights) {
  float ax = a[0] - x, ay = a[1] - y, bx = b[0] - x, by = b[1] - y, cx = c[0] - x, cy = c[1] - y;
  float area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  float safe = std::abs(area) > 1e-12f ? area : 1.0f;
  float weight_b = (cx * ay - cy * ax) / safe, weight_c = (ax * by - ay * bx) / safe;
  weights[0] = 1.0f - weight_b - weight_c, weights[1] = weight_b, weights[2] = weight_c;
  float cut[3], sum = 0.0f;
  bool same = true;
  for (int i = 0; i < 3; ++i) {
    cut[i] = std::min(std::max(weights[i], -0.25f), 1.25f);
    same &= cut[i] == weights[i];
    sum += cut[i];
  }
  if (!same) {
    for (int i = 0; i < 3; ++i) weights[i] = cut[i] / sum;
  }
}

ffi::Error Surface(ffi::Buffer<ffi::F32> vertices, ffi::Buffer<ffi::S32> faces, ffi::Buffer<ffi::S32> ids,
                   ffi::Buffer<ffi::F32> attributes, ffi::Buffer<ffi::S32> attribute_faces,
                   ffi::ResultBuffer<ffi::F32> depth, ffi::ResultBuffer<ffi::F32> barycentrics,
                   ffi::ResultBuffer<ffi::F32> values) {
  auto shape = depth->dimensions();
  size_t leading = shape.size() - 2;
  int64_t height = shape[leading], width = shape[leading + 1], pixels = height * width;
  int64_t channels = values->dimensions()[leading + 2], kept = barycentrics->dimensions()[leading + 2];
  auto own = [&](const auto& operand, int64_t index) {
    auto sizes = operand.dimensions();
    return operand.typed_data() + sizes[leading] * sizes[leading + 1] * Item(index, shape, sizes, leading);
  };
  for (int64_t index = 0; index < Items(shape, leading); ++index) {
    const float *points = own(vertices, index), *rows = own(attributes, index);
    const int32_t *corners = own(faces, index), *row_corners = own(attribute_faces, index), *seen = own(ids, index);
    float* out_depth = depth->typed_data() + index * pixels;
    float* out_weights = barycentrics->typed_data() + kept * index * pixels;
    float* out_values = values->typed_data() + channels * index * pixels;
    for (int64_t pixel = 0, row_start = 0, line = 0; pixel < pixels; ++pixel) {
      int32_t id = seen[pixel];
      if (id < 0) {
        const float nothing = id == kOverflow ? std::numeric_limits<float>::quiet_NaN() : 0.0f;
        int64_t end = pixel + 1;
        while (end < pixels && seen[end] == id) ++end;
        std::fill(out_depth + pixel, out_depth + end, nothing);
        std::fill(out_weights + kept * pixel, out_weights + kept * end, nothing);
        std::fill(out_values + channels * pixel, out_values + channels * end, nothing);
        pixel = end - 1;
        continue;
      }
      while (pixel >= row_start + width) row_start += width, ++line;
      // Neighbours on screen lie apart in memory: fetched ahead, in two steps, as one tells where the other is.
      if (pixel + 12 < pixels && seen[pixel + 12] >= 0) {
        __builtin_prefetch(corners + 3 * seen[pixel + 12]);
      }
      if (pixel + 6 < pixels && seen[pixel + 6] >= 0) {
        const int32_t *next = corners + 3 * seen[pixel + 6], *next_row = row_corners + 3 * seen[pixel + 6];
        for (int i = 0; i < 3; ++i) {
          __builtin_prefetch(points + 3 * next[i]);
          __builtin_prefetch(rows + channels * next_row[i]);
        }
      }
      const int32_t *corner = corners + 3 * id, *row = row_corners + 3 * id;
      const float *a = points + 3 * corner[0], *b = points + 3 * corner[1], *c = points + 3 * corner[2];
      float weights[3], *value = out_values + channels * pixel;
      Weights(a, b, c, (pixel - row_start) + 0.5f, line + 0.5f, weights);
      std::copy(weights, weights + kept, out_weights + kept * pixel);
      out_depth[pixel] = a[2] + weights[1] * (b[2] - a[2]) + weights[2] * (c[2] - a[2]);
      const float *first = rows + channels * row[0], *second = rows + channels * row[1];
      const float* third = rows + channels * row[2];
      for (int64_t i = 0; i < channels; ++i) {
        value[i] = first[i] * weights[0] + second[i] * weights[1] + third[i] * weights[2];
      }
    }
  }
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonSurface, Surface,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Ret<ffi::Buffer<ffi::F32>>()
                                  .Ret<ffi::Buffer<ffi::F32>>()
                                  .Ret<ffi::Buffer<ffi::F32>>());
