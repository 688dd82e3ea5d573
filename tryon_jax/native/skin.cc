// Linear blend skinning, as `skin` of simulation/body.py does it.

#include <cstdint>

namespace {

// The blended transform of each vertex is summed in the weights' own precision, in their order, without the zeros.
template <typename Real>
void Skin(const double* vertices, const int32_t* indices, const Real* weights, const Real* transforms, float* posed,
          int64_t count, int64_t bones) {
  for (int64_t v = 0; v < count; ++v) {
    Real mean[12] = {};
    for (int64_t bone = v * bones; bone < (v + 1) * bones; ++bone) {
      if (!(weights[bone] > 0)) continue;
      const Real* rows = transforms + 16 * indices[bone];
      for (int i = 0; i < 12; ++i) mean[i] += weights[bone] * rows[i];
    }
    const double *point = vertices + 3 * v, x = point[0], y = point[1], z = point[2];
    for (int i = 0; i < 3; ++i) {
      posed[3 * v + i] = mean[4 * i] * x + mean[4 * i + 1] * y + mean[4 * i + 2] * z + mean[4 * i + 3];
    }
  }
}

}  // namespace

// vertices [count, 3]; indices, weights [count, bones] into transforms [J, 4, 4]; posed [count, 3].
extern "C" void TryonSkin(const double* vertices, const int32_t* indices, const float* weights,
                          const float* transforms, float* posed, int64_t count, int64_t bones) {
  Skin(vertices, indices, weights, transforms, posed, count, bones);
}

extern "C" void TryonSkinDouble(const double* vertices, const int32_t* indices, const double* weights,
                                const double* transforms, float* posed, int64_t count, int64_t bones) {
  Skin(vertices, indices, weights, transforms, posed, count, bones);
}
