// Group normalisation of [N, H, W, C], float32, with the rectifier that follows it, and their gradients. A picture is
// small enough to stay in the second cache, so that what takes two passes over it reads memory once.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "parallel.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace {

// Pixels beside each other that are worked on at once: rows of constants as long as theirs have whole vectors in them,
// and as many sums for each channel round less than one would.
constexpr int64_t kBeside = 8;

// e^x of |x| < 87, to a few units of the last place (Cephes' expf, without branches): the compiler makes vectors of it.
inline float Exp(float x) {
  const float whole = __builtin_rintf(x * 1.44269504f);
  const float rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float power = 1.9875691500e-4f;
  for (float next : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f}) {
    power = power * rest + next;
  }
  power = power * rest * rest + rest + 1.0f;
  const int32_t bits = (static_cast<int32_t>(whole) + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return power * scale;
}

// Beyond 80 it is 0 or 1 to all digits that a float has beside 1.
inline float Sigmoid(float x) { return 1.0f / (1.0f + Exp(std::min(80.0f, std::max(-80.0f, -x)))); }

struct Sizes {
  int64_t count, pixels, channels, groups;
};

// For each of a row's values the constants of its channel.
struct Rows {
  std::vector<float> mean, inverse, gain, shift;
};

// Calls visit(first value, values) for each row of a picture, the last of which may be shorter.
template <typename Visit>
void EachRow(const Sizes& of, Visit visit) {
  const int64_t all = of.pixels * of.channels, row = kBeside * of.channels;
  for (int64_t from = 0; from < all; from += row) visit(from, std::min(row, all - from));
}

// Means over each group, given a row's sums: written to each channel of the group, in each pixel of a row.
void Average(const Sizes& of, const std::vector<float>& sums, std::vector<float>& means) {
  const int64_t each = of.channels / of.groups;
  for (int64_t group = 0; group < of.groups; ++group) {
    double sum = 0;
    for (int64_t pixel = 0; pixel < kBeside; ++pixel) {
      for (int64_t i = 0; i < each; ++i) sum += sums[pixel * of.channels + group * each + i];
    }
    const float mean = static_cast<float>(sum / (of.pixels * each));
    for (int64_t pixel = 0; pixel < kBeside; ++pixel) {
      std::fill_n(&means[pixel * of.channels + group * each], each, mean);
    }
  }
}

Rows Prepared(const Sizes& of, const float* x, const float* scale, const float* bias, float floor) {
  const int64_t row = kBeside * of.channels;
  std::vector<float> sums(row, 0.0f), squares(row, 0.0f);
  float *sum = sums.data(), *square = squares.data();
  EachRow(of, [&](int64_t from, int64_t values) {
    const float* read = x + from;
    for (int64_t i = 0; i < values; ++i) {
      sum[i] += read[i];
      square[i] += read[i] * read[i];
    }
  });
  Rows rows = {std::vector<float>(row), std::vector<float>(row), std::vector<float>(row), std::vector<float>(row)};
  Average(of, sums, rows.mean);
  Average(of, squares, rows.inverse);
  for (int64_t i = 0; i < row; ++i) {
    // Rounding may take the difference of two means below zero.
    const float variance = std::max(rows.inverse[i] - rows.mean[i] * rows.mean[i], 0.0f);
    rows.inverse[i] = 1.0f / std::sqrt(variance + floor);
    rows.gain[i] = rows.inverse[i] * scale[i % of.channels];
    rows.shift[i] = bias[i % of.channels] - rows.mean[i] * rows.gain[i];
  }
  return rows;
}

Sizes SizesOf(ffi::Span<const int64_t> sizes, int64_t groups) { return {sizes[0], sizes[1] * sizes[2], sizes[3], groups}; }

ffi::Error Norm(ffi::ThreadPool pool, ffi::Buffer<ffi::F32> x, ffi::Buffer<ffi::F32> scale, ffi::Buffer<ffi::F32> bias,
                ffi::ResultBuffer<ffi::F32> result, int64_t groups, bool activated, float floor) {
  const Sizes of = SizesOf(x.dimensions(), groups);
  Parallel(pool, of.count, [&](int64_t item) {
    const float* in = x.typed_data() + item * of.pixels * of.channels;
    float* out = result->typed_data() + item * of.pixels * of.channels;
    const Rows rows = Prepared(of, in, scale.typed_data(), bias.typed_data(), floor);
    const float *gain = rows.gain.data(), *shift = rows.shift.data();
    EachRow(of, [&](int64_t from, int64_t values) {
      const float* read = in + from;
      float* write = out + from;
      if (activated) {
        for (int64_t i = 0; i < values; ++i) {
          const float value = read[i] * gain[i] + shift[i];
          write[i] = value * Sigmoid(value);
        }
      } else {
        for (int64_t i = 0; i < values; ++i) write[i] = read[i] * gain[i] + shift[i];
      }
    });
  });
  return ffi::Error::Success();
}

// The gradient by one picture; what it adds to those by scale and bias, [2, C], is written to `shares`.
void Slopes(const Sizes& of, const float* x, const float* gradient, const float* scale, const Rows& rows,
            bool activated, float* out, float* shares) {
  const int64_t row = kBeside * of.channels;
  std::vector<float> now(row), along(row);
  std::vector<float> sums(row, 0.0f), slopes(row, 0.0f);
  float *sum = sums.data(), *along_x = slopes.data();
  const float *gain = rows.gain.data(), *shift = rows.shift.data(), *mean = rows.mean.data();
  EachRow(of, [&](int64_t from, int64_t values) {
    const float *read = x + from, *slope = gradient + from;
    float* write = out + from;
    if (activated) {
      for (int64_t i = 0; i < values; ++i) {
        const float value = read[i] * gain[i] + shift[i], share = Sigmoid(value);
        write[i] = slope[i] * (share * (1.0f + value * (1.0f - share)));
      }
    } else if (write != slope) {
      std::memcpy(write, slope, values * sizeof(float));
    }
    for (int64_t i = 0; i < values; ++i) {
      sum[i] += write[i];
      along_x[i] += write[i] * (read[i] - mean[i]);
    }
  });
  for (int64_t channel = 0; channel < of.channels; ++channel) {
    double total = 0, slope = 0;
    for (int64_t i = channel; i < row; i += of.channels) total += sums[i], slope += slopes[i];
    shares[channel] = static_cast<float>(slope * rows.inverse[channel]);
    shares[of.channels + channel] = static_cast<float>(total);
    for (int64_t i = channel; i < row; i += of.channels) sums[i] *= scale[channel], slopes[i] *= scale[channel];
  }
  Average(of, sums, now);
  Average(of, slopes, along);
  // The gradient less what is along the mean and along x: out * gain + x * tilt + level.
  for (int64_t i = 0; i < row; ++i) {
    const float tilt = -rows.inverse[i] * rows.inverse[i] * rows.inverse[i] * along[i];
    now[i] = -rows.inverse[i] * now[i] - mean[i] * tilt;
    along[i] = tilt;
  }
  const float *tilt = along.data(), *level = now.data();
  EachRow(of, [&](int64_t from, int64_t values) {
    const float* read = x + from;
    float* write = out + from;
    for (int64_t i = 0; i < values; ++i) write[i] = write[i] * gain[i] + (read[i] * tilt[i] + level[i]);
  });
}

ffi::Error NormGradient(ffi::ThreadPool pool, ffi::Buffer<ffi::F32> x, ffi::Buffer<ffi::F32> scale,
                        ffi::Buffer<ffi::F32> bias, ffi::Buffer<ffi::F32> gradient, ffi::ResultBuffer<ffi::F32> by_x,
                        ffi::ResultBuffer<ffi::F32> by_scale, ffi::ResultBuffer<ffi::F32> by_bias, int64_t groups,
                        bool activated, float floor) {
  const Sizes of = SizesOf(x.dimensions(), groups);
  std::vector<float> shares(of.count * 2 * of.channels);
  Parallel(pool, of.count, [&](int64_t item) {
    const int64_t place = item * of.pixels * of.channels;
    const float* in = x.typed_data() + place;
    const Rows rows = Prepared(of, in, scale.typed_data(), bias.typed_data(), floor);
    Slopes(of, in, gradient.typed_data() + place, scale.typed_data(), rows, activated, by_x->typed_data() + place,
           &shares[item * 2 * of.channels]);
  });
  for (int64_t channel = 0; channel < of.channels; ++channel) {
    double slope = 0, sum = 0;
    for (int64_t item = 0; item < of.count; ++item) {
      slope += shares[item * 2 * of.channels + channel];
      sum += shares[(item * 2 + 1) * of.channels + channel];
    }
    by_scale->typed_data()[channel] = static_cast<float>(slope);
    by_bias->typed_data()[channel] = static_cast<float>(sum);
  }
  return ffi::Error::Success();
}

// What both kernels are given: x, scale and bias first; how many groups, whether x * sigmoid(x) follows, and what is
// added to a variance last.
auto Operands() {
  return ffi::Ffi::Bind()
      .Ctx<ffi::ThreadPool>()
      .Arg<ffi::Buffer<ffi::F32>>()
      .Arg<ffi::Buffer<ffi::F32>>()
      .Arg<ffi::Buffer<ffi::F32>>();
}

template <typename Binding>
auto Constants(Binding binding) {
  return std::move(binding).template Attr<int64_t>("groups").template Attr<bool>("activated").template Attr<float>("floor");
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonNorm, Norm, Constants(Operands().Ret<ffi::Buffer<ffi::F32>>()));
XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonNormGradient, NormGradient,
                              Constants(Operands()
                                            .Arg<ffi::Buffer<ffi::F32>>()
                                            .Ret<ffi::Buffer<ffi::F32>>()
                                            .Ret<ffi::Buffer<ffi::F32>>()
                                            .Ret<ffi::Buffer<ffi::F32>>()));
