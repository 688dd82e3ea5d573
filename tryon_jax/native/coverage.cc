// Colours mixed by how much of a texel is covered, lines' coverage and smooth noise, as simulation/coverage.py does.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

// first, second: colours [count, 3], or one colour if their step is 0 rather than 3; weight [count].
extern "C" void TryonMix(const float* first, const float* second, const float* weight, float* __restrict result,
                         int64_t count, int64_t first_step, int64_t second_step) {
  for (int64_t texel = 0; texel < count; ++texel, first += first_step, second += second_step, result += 3) {
    for (int channel = 0; channel < 3; ++channel) {
      result[channel] = first[channel] + (second[channel] - first[channel]) * weight[texel];
    }
  }
}

// picture [count, 3], factor [count].
extern "C" void TryonShaded(const float* picture, const float* factor, float* __restrict result, int64_t count) {
  for (int64_t texel = 0; texel < count; ++texel, picture += 3, result += 3) {
    for (int channel = 0; channel < 3; ++channel) result[channel] = picture[channel] * factor[texel];
  }
}

// half: of a texel's side; reach: half of the line's width.
extern "C" void TryonLine(const float* distance, float* result, int64_t count, float half, float reach, float scale) {
  for (int64_t texel = 0; texel < count; ++texel) {
    const float away = std::fabs(distance[texel]);
    const float far = std::min(away + half, reach), near = std::max(away - half, -reach);
    result[texel] = std::max(far - near, 0.0f) * scale;
  }
}

// values [rows, columns] weighed down to [size, columns] and across to result [size, size]; near, weights [size, taps]:
// numbers of the values that a texel is made of, and their shares.
extern "C" void TryonSmooth(const float* values, const int32_t* down_near, const float* down_weights,
                            const int32_t* across_near, const float* across_weights, float* result, int64_t columns,
                            int64_t size, int64_t down_taps, int64_t across_taps) {
  std::vector<float> line(columns);
  for (int64_t row = 0; row < size; ++row) {
    std::fill(line.begin(), line.end(), 0.0f);
    for (int64_t tap = row * down_taps; tap < (row + 1) * down_taps; ++tap) {
      const float weight = down_weights[tap];
      const float* source = values + down_near[tap] * columns;
      for (int64_t column = 0; column < columns; ++column) line[column] += weight * source[column];
    }
    for (int64_t column = 0; column < size; ++column) {
      float sum = 0.0f;
      for (int64_t tap = column * across_taps; tap < (column + 1) * across_taps; ++tap) {
        sum += across_weights[tap] * line[across_near[tap]];
      }
      result[row * size + column] = sum;
    }
  }
}
