// Boxes and ovals painted into a picture in place, as simulation/strokes.py does, with its precision at every step.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace {

template <typename Real>
Real Clipped(Real value) {
  return std::min(std::max(value, Real(0)), Real(1));
}

// Middle of a pixel in picture sides.
float Centre(int64_t number, int64_t size) { return (static_cast<float>(number) + 0.5f) / static_cast<float>(size); }

template <typename Real>
void Lay(float* pixel, const float* colour, float shade, Real coverage) {
  for (int channel = 0; channel < 3; ++channel) {
    const float way = colour[channel] * shade - pixel[channel];
    pixel[channel] = static_cast<float>(pixel[channel] + way * coverage);
  }
}

}  // namespace

// picture [size, size, 3]; shape: left, top, right, bottom, width of the edge, how much darker the bottom is; the
// rows and columns to paint are those of a window.
extern "C" void TryonBox(float* picture, const double* shape, const float* colour, int64_t size, int64_t first_row,
                         int64_t end_row, int64_t first_column, int64_t end_column) {
  const float left = shape[0], top = shape[1], right = shape[2], bottom = shape[3], width = shape[4], shade = shape[5];
  const float tall = shape[3] - shape[1];
  for (int64_t row = first_row; row < end_row; ++row) {
    const float y = Centre(row, size);
    const float down = Clipped((y - top) / width + 0.5f) * Clipped((bottom - y) / width + 0.5f);
    const float light = 1.0f - shade * Clipped((y - top) / tall);
    for (int64_t column = first_column; column < end_column; ++column) {
      const float x = Centre(column, size);
      const float across = Clipped((x - left) / width + 0.5f) * Clipped((right - x) / width + 0.5f);
      Lay(picture + 3 * (row * size + column), colour, light, down * across);
    }
  }
}

// As above; shape: x0, y0, wide, tall, cosine and sine of the turn, width of the edge, strength, how much darker the
// lower side is.
extern "C" void TryonOval(float* picture, const double* shape, const float* colour, int64_t size, int64_t first_row,
                          int64_t end_row, int64_t first_column, int64_t end_column) {
  const float x0 = shape[0], y0 = shape[1], height = 2 * shape[3], shade = shape[8];
  const double wide = shape[2], tall = shape[3], cosine = shape[4], sine = shape[5], width = shape[6];
  for (int64_t row = first_row; row < end_row; ++row) {
    const float dy = Centre(row, size) - y0;
    const float light = 1.0f - shade * Clipped(dy / height + 0.5f);
    for (int64_t column = first_column; column < end_column; ++column) {
      const double dx = Centre(column, size) - x0;
      const double u = dx * cosine + dy * sine, v = dy * cosine - dx * sine;
      const double distance = (1 - std::hypot(u / wide, v / tall)) * std::min(wide, tall);
      Lay(picture + 3 * (row * size + column), colour, light, shape[7] * Clipped(distance / width + 0.5));
    }
  }
}
