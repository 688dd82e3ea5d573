// Distances of a grid of points to line segments, as `distances` of garments/sheet.py measures them.

#include <algorithm>
#include <cmath>
#include <cstdint>

// segments [count, 5]: start x, y, direction x, y, length; result [height, width].
extern "C" void TryonDistance(const float* x, const float* y, const float* segments, float* result, int64_t width,
                              int64_t height, int64_t count, float far) {
  for (int64_t row = 0; row < height; ++row) {
    float* least = result + row * width;
    std::fill(least, least + width, far * far);
    for (const float* segment = segments; segment < segments + 5 * count; segment += 5) {
      const float start = segment[0], up = y[row] - segment[1], along_x = segment[2], along_y = segment[3],
                  length = segment[4];
      for (int64_t column = 0; column < width; ++column) {
        float right = x[column] - start;
        float foot = std::min(std::max(right * along_x + up * along_y, 0.0f), length);
        float off_x = right - foot * along_x, off_y = up - foot * along_y;
        least[column] = std::min(least[column], off_x * off_x + off_y * off_y);
      }
    }
    for (int64_t column = 0; column < width; ++column) least[column] = std::sqrt(least[column]);
  }
}
