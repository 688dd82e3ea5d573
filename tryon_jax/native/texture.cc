// Bilinear samples of a texture at the pixels that show a surface, as `sample_texture` of texture.py makes them.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "batch.h"

namespace {

// Where a coordinate in [0, 1] lies between two of `count` texels, whose outer centres hold beyond themselves.
struct Between {
  int64_t low, high;
  float share;
};

Between Place(float coordinate, int64_t count) {
  float place = std::min(std::max(coordinate * count - 0.5f, 0.0f), count - 1.0f);
  int64_t low = static_cast<int64_t>(place);
  return {low, std::min(low + 1, count - 1), place - low};
}

ffi::Error Texture(ffi::Buffer<ffi::F32> texture, ffi::Buffer<ffi::F32> uv, ffi::Buffer<ffi::S32> ids,
                   ffi::ResultBuffer<ffi::F32> colours) {
  auto shape = colours->dimensions(), sizes = texture.dimensions();
  size_t leading = shape.size() - 3;
  int64_t pixels = shape[leading] * shape[leading + 1], channels = shape[leading + 2];
  int64_t height = sizes[leading], width = sizes[leading + 1];
  for (int64_t index = 0; index < Items(shape, leading); ++index) {
    const float* texels = texture.typed_data() + height * width * channels * Item(index, shape, sizes, leading);
    const float* places = uv.typed_data() + 2 * pixels * Item(index, shape, uv.dimensions(), leading);
    const int32_t* seen = ids.typed_data() + pixels * Item(index, shape, ids.dimensions(), leading);
    float* colour = colours->typed_data() + channels * pixels * index;
    for (int64_t pixel = 0; pixel < pixels; ++pixel, colour += channels) {
      // NaN: rasterize overflowed, which has marked the coordinates.
      if (seen[pixel] < 0 || std::isnan(places[2 * pixel])) {
        std::fill(colour, colour + channels, seen[pixel] == -1 ? 0.0f : places[2 * pixel]);
        continue;
      }
      Between x = Place(places[2 * pixel], width), y = Place(places[2 * pixel + 1], height);
      const float *upper = texels + channels * width * y.low, *lower = texels + channels * width * y.high;
      for (int64_t i = 0; i < channels; ++i) {
        float above = upper[channels * x.low + i] * (1 - x.share) + upper[channels * x.high + i] * x.share;
        float below = lower[channels * x.low + i] * (1 - x.share) + lower[channels * x.high + i] * x.share;
        colour[i] = above * (1 - y.share) + below * y.share;
      }
    }
  }
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonTexture, Texture,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Ret<ffi::Buffer<ffi::F32>>());
