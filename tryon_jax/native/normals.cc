// Vertex normals and means over the faces of a mesh, as simulation/drawing.py and simulation/occlusion.py make them.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

// vertices [count, 3], faces [face_count, 3]; normals [count, 3]: unit, area weighted, zero without faces.
extern "C" void TryonNormals(const double* vertices, const int32_t* faces, float* normals, int64_t count,
                             int64_t face_count) {
  std::vector<double> sums(3 * count, 0.0);
  for (const int32_t* face = faces; face < faces + 3 * face_count; face += 3) {
    const double *a = vertices + 3 * face[0], *b = vertices + 3 * face[1], *c = vertices + 3 * face[2];
    double first[3], second[3];
    for (int k = 0; k < 3; ++k) first[k] = b[k] - a[k], second[k] = c[k] - a[k];
    for (int k = 0; k < 3; ++k) {
      const int next = (k + 1) % 3, after = (k + 2) % 3;
      const double across = first[next] * second[after] - first[after] * second[next];
      for (int corner = 0; corner < 3; ++corner) sums[3 * face[corner] + k] += across;
    }
  }
  for (int64_t v = 0; v < count; ++v) {
    const double* sum = sums.data() + 3 * v;
    const double length = std::sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
    for (int k = 0; k < 3; ++k) normals[3 * v + k] = static_cast<float>(sum[k] / std::max(length, 1e-12));
  }
}

// values [count] after some rounds in which each takes the mean of the corners of all faces [face_count, 3] about it.
extern "C" void TryonSpread(const int32_t* faces, float* values, int64_t count, int64_t face_count, int64_t rounds) {
  std::vector<float> uses(count, 0.0f), sums(count);
  for (int64_t i = 0; i < 3 * face_count; ++i) uses[faces[i]] += 3.0f;
  for (int64_t round = 0; round < rounds; ++round) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (const int32_t* face = faces; face < faces + 3 * face_count; face += 3) {
      const float sum = values[face[0]] + values[face[1]] + values[face[2]];
      for (int corner = 0; corner < 3; ++corner) sums[face[corner]] += sum;
    }
    for (int64_t v = 0; v < count; ++v) {
      if (uses[v] > 0.0f) values[v] = sums[v] / uses[v];
    }
  }
}
