// Light and colours of the samples of a picture, and their means over pixels, as `_shaded` of simulation/drawing.py
// makes them: only samples that show a surface cost anything. Sums are in the order of XLA's own program, rounded as
// seldom: a last bit turned over can turn over a block of a photo's JPEG.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "xla/ffi/api/ffi.h"

// The machine's own multiply-add, where it has one.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_MACHINE __attribute__((target_clones("fma", "default")))
#else
#define FOR_EACH_MACHINE
#endif

namespace ffi = xla::ffi;

namespace {

constexpr int kChannels = 12;  // of a sample: colours, normals, texture_uv, garment_xy, openness, strain

// What light, and what of it, a surface shows; toward: sign of a visible normal's z; above: 1 - shoulder.
struct Scene {
  const float* light;  // [9, 3]
  float toward, inside, bounced, shoulder, above;
};

inline float Fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

// Light [3] on a unit normal: render.shade.spherical_harmonics.
inline void Lit(const float* light, const float* n, float* lit) {
  constexpr float kConstant = 0.2820947917738781f, kLinear = 0.4886025119029199f, kProduct = 1.0925484305920792f;
  constexpr float kZonal = 0.31539156525252005f;
  const float harmonics[9] = {kConstant, kLinear * n[1], kLinear * n[2], kLinear * n[0], kProduct * n[0] * n[1],
                              kProduct * n[1] * n[2], kZonal * Fma(3 * n[2], n[2], -1), kProduct * n[0] * n[2],
                              kProduct / 2 * Fma(n[0], n[0], -(n[1] * n[1]))};
  for (int c = 0; c < 3; ++c) {
    float sum[2] = {harmonics[0] * light[c], harmonics[1] * light[3 + c]};
    for (int i = 2; i < 8; ++i) sum[i % 2] = Fma(harmonics[i], light[3 * i + c], sum[i % 2]);
    lit[c] = sum[0] + sum[1] + harmonics[8] * light[24 + c];
  }
}

// A sample's colour, albedo and coverage, [7], and its normal; outer: whether the surface's outer side is seen.
inline void Paint(const Scene& scene, const float* value, const float* texel, bool outer, float* painted,
                  float* normal) {
  const float side = outer ? 1.0f : -1.0f, toward = scene.toward;
  const float x = value[3] * side, y = value[4] * side, z = toward * std::max(toward * value[5] * side, 0.0f);
  const float length = std::sqrt(x * x + z * z + y * y), scale = 1.0f / std::max(length, 0.1f);
  const bool straight = !(length > 0.1f);
  normal[0] = straight ? 0.0f : x * scale, normal[1] = straight ? 0.0f : y * scale;
  normal[2] = straight ? toward : z * scale;
  float lit[3];
  Lit(scene.light, normal, lit);
  const float reached = value[10], hidden = std::max(1.0f - reached, 0.0f), shoulder = scene.shoulder;
  const float* albedo = value[6] < 0 ? value : texel;
  for (int c = 0; c < 3; ++c) {
    const float left = Fma(-(scene.bounced * hidden), albedo[c], 1.0f);
    const float light = albedo[c] * (lit[c] * (outer ? 1.0f : scene.inside) * reached / left);
    const float over = (std::max(light, shoulder) - shoulder) * (1.0f / scene.above);
    painted[c] = std::min(std::max(light, 0.0f), shoulder);
    if (over > 0.0f) painted[c] = Fma(scene.above, 1.0f - std::exp(-over), painted[c]);
    painted[3 + c] = albedo[c];
  }
  painted[6] = 1.0f;
}

// Operands of the kernel and their sizes; samples a side of a pixel, of which `finer` a side are fine ones.
struct Picture {
  const float *vertices, *values, *texels, *share;
  const int32_t *faces, *ids;
  int64_t size, samples, finer;
};

// Whether a face's corners, on screen, turn as those do that the front camera sees from outside.
inline bool Outward(const Picture& picture, int32_t id) {
  const int32_t* face = picture.faces + 3 * id;
  const float *a = picture.vertices + 3 * face[0], *b = picture.vertices + 3 * face[1];
  const float* c = picture.vertices + 3 * face[2];
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) < 0;
}

// Sums of samples, first down each column or along each row, are as they are in the twin's program.
FOR_EACH_MACHINE
void Draw(const Picture& picture, const Scene& scene, float* means, float* fine, float* normals) {
  const int64_t k = picture.samples, finer = picture.finer, width = picture.size * k;
  const float* share = picture.share;
  std::vector<float> painted(k * k * 7);
  for (int64_t pixel = 0; pixel < picture.size * picture.size; ++pixel) {
    const int64_t row = pixel / picture.size, column = pixel % picture.size;
    bool seen = false;
    std::fill(painted.begin(), painted.end(), 0.0f);
    for (int64_t own = 0; own < k * k; ++own) {
      const int64_t sample = (row * k + own / k) * width + column * k + own % k;
      const int32_t id = picture.ids[sample];
      if (id < 0) continue;
      float normal[3];
      const bool outer = Outward(picture, id) == (scene.toward > 0);
      Paint(scene, picture.values + kChannels * sample, picture.texels + 3 * sample, outer, &painted[7 * own], normal);
      if (own == k * k / 2) std::copy(normal, normal + 3, normals + 3 * pixel);
      seen = true;
    }
    if (!seen) continue;
    for (int channel = 0; channel < 7; ++channel) {
      float sum = 0.0f;
      for (int64_t i = 0; i < k; ++i) {
        float along = 0.0f;
        for (int64_t j = 0; j < k; ++j) along += painted[7 * (i * k + j) + channel];
        sum += along;
      }
      means[7 * pixel + channel] = sum * (1.0f / (k * k));
    }
    for (int64_t cell = 0; cell < finer * finer; ++cell) {
      const int64_t u = cell / finer, v = cell % finer;
      float* found = fine + 4 * ((row * finer + u) * picture.size * finer + column * finer + v);
      for (int channel = 0; channel < 4; ++channel) {
        for (int64_t j = 0; j < k; ++j) {
          float down = 0.0f;
          for (int64_t i = 0; i < k; ++i) {
            down += share[u * k + i] * painted[7 * (i * k + j) + (channel < 3 ? channel : 6)];
          }
          found[channel] += share[v * k + j] * down;
        }
      }
    }
  }
}

ffi::Error Shade(ffi::Buffer<ffi::F32> vertices, ffi::Buffer<ffi::S32> faces, ffi::Buffer<ffi::S32> ids,
                 ffi::Buffer<ffi::F32> values, ffi::Buffer<ffi::F32> texels, ffi::Buffer<ffi::F32> light,
                 ffi::Buffer<ffi::F32> shares, float toward, float inside, float bounced, float shoulder, float above,
                 ffi::ResultBuffer<ffi::F32> means, ffi::ResultBuffer<ffi::F32> fine,
                 ffi::ResultBuffer<ffi::F32> normals) {
  if (values.dimensions()[2] != kChannels) return ffi::Error::InvalidArgument("a sample has 12 channels");
  const Picture picture = {vertices.typed_data(), values.typed_data(), texels.typed_data(), shares.typed_data(),
                           faces.typed_data(), ids.typed_data(), means->dimensions()[0], shares.dimensions()[1],
                           shares.dimensions()[0]};
  for (auto* result : {&means, &fine, &normals}) {
    std::fill((*result)->typed_data(), (*result)->typed_data() + (*result)->element_count(), 0.0f);
  }
  Draw(picture, {light.typed_data(), toward, inside, bounced, shoulder, above}, means->typed_data(), fine->typed_data(),
       normals->typed_data());
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonShade, Shade,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Attr<float>("toward")
                                  .Attr<float>("inside")
                                  .Attr<float>("bounced")
                                  .Attr<float>("shoulder")
                                  .Attr<float>("above")
                                  .Ret<ffi::Buffer<ffi::F32>>()
                                  .Ret<ffi::Buffer<ffi::F32>>()
                                  .Ret<ffi::Buffer<ffi::F32>>());
