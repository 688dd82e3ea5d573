// Which points height fields of a mesh leave in the open, as `visible` of simulation/occlusion.py tells.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

// Cells along one axis into which values [count] fall, and how many of them there are.
int32_t Cells(const float* values, int64_t count, float cell, int32_t* cells) {
  constexpr int64_t kLanes = 16;  // minima and maxima side by side: in a row each would wait for the one before
  float low[kLanes], high[kLanes];
  std::fill(low, low + kLanes, values[0]), std::fill(high, high + kLanes, values[0]);
  for (int64_t i = 0; i + kLanes <= count; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) low[k] = std::min(low[k], values[i + k]);
    for (int64_t k = 0; k < kLanes; ++k) high[k] = std::max(high[k], values[i + k]);
  }
  for (int64_t i = count / kLanes * kLanes; i < count; ++i) {
    low[0] = std::min(low[0], values[i]), high[0] = std::max(high[0], values[i]);
  }
  const float least = *std::min_element(low, low + kLanes), most = *std::max_element(high, high + kLanes);
  for (int64_t i = 0; i < count; ++i) cells[i] = static_cast<int32_t>((values[i] - least) / cell);
  return static_cast<int32_t>((most - least) / cell) + 1;
}

}  // namespace

// placed [3, count]: across, along and depth of splats, the points [points] first; facing [points]; shown [points] from
// the side that they face; steepest: facing of the steepest surface that is told; soft: one over metres.
extern "C" void TryonVisible(const float* placed, const float* facing, float* shown, int64_t count, int64_t points,
                             float cell, float steepest, float highest, float soft) {
  const float* depth = placed + 2 * count;
  std::vector<int32_t> index(count), columns(count);
  const int32_t height = Cells(placed, count, cell, index.data());
  const int32_t width = Cells(placed + count, count, cell, columns.data());
  for (int64_t i = 0; i < count; ++i) index[i] = index[i] * width + columns[i];
  constexpr float kFar = std::numeric_limits<float>::infinity();
  std::vector<float> top(height * width, -kFar), bottom(height * width, kFar);
  for (int64_t i = 0; i < count; ++i) {
    top[index[i]] = std::max(top[index[i]], depth[i]);
    bottom[index[i]] = std::min(bottom[index[i]], depth[i]);
  }
  for (int64_t i = 0; i < points; ++i) {
    const float slope = std::abs(facing[i]);
    const float rise = std::sqrt(std::max(1.0f - slope * slope, 0.0f)) / std::max(slope, steepest);
    const float bias = cell * (0.5f + std::min(rise, highest));
    const float above = facing[i] > 0 ? top[index[i]] - depth[i] : depth[i] - bottom[index[i]];
    shown[i] = 1.0f - std::min(std::max((above - bias) * soft, 0.0f), 1.0f);
  }
}
