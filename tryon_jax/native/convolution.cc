// Convolutions of stride 1 and the gradients of their kernels, float32, [N, H, W, C]. Both are products of matrices
// that are never written out: k neighbouring pixels of a row lie one behind the other, so a row of outputs is k
// products, one for each row of the kernel, whose sums stay in registers (Goto & van de Geijn 2008, section 4.2).

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "parallel.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
// Keeps an operand in a register, where the compiler would read it from memory again for each sum.
#if defined(__x86_64__)
#define HOLD(vector) asm("" : "+x"(vector))
#else
#define HOLD(vector) asm("" : "+w"(vector))
#endif
typedef float Vector __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
// Sums in registers at once: with the operands they fill sixteen, and are enough to hide the time of one addition.
constexpr int kVectors = 3;
constexpr int Rows(int vectors) { return vectors == 3 ? 4 : vectors == 2 ? 6 : 8; }
constexpr int64_t kPixels = 1024;  // of output a task: its input stays in the second cache, and tasks are enough
// Floats of input and gradient that stay in the first cache while a kernel's sums pass over them, and the fewest pixels
// for which to load those sums is worth it.
constexpr int64_t kNear = 6000, kLeast = 64;
constexpr int64_t kParts = 8;      // sums of kernel gradients; not as many as threads, lest bits depend on those

struct Shape {
  int64_t count, height, width, channels;
};

Shape ShapeOf(ffi::Span<const int64_t> sizes) { return {sizes[0], sizes[1], sizes[2], sizes[3]}; }

// A sum of `panels` products of matrices: a[i * across + j * along], j < depth, by b[j * step ...], each panel further on.
struct Product {
  int64_t panels, depth;
  int64_t across, along, next_a;  // of a: from one row of the result to the next, from one j to the next, to the panel
  int64_t step, next_b;
};

// Rows of the result, `used` floats wide and `stride` apart, at `place`: set to the product, or added to it.
template <int kHeight, int kWidth, bool kAdd>
__attribute__((noinline)) void Tile(const Product& of, const float* a, const float* b, float* place, int64_t stride,
                                    int64_t used) {
  Vector sums[kHeight][kWidth] = {};
  if (kAdd) {
    for (int row = 0; row < kHeight; ++row) std::memcpy(sums[row], place + row * stride, sizeof(sums[row]));
  }
  const int64_t across = of.across, along = of.along, step = of.step, depth = of.depth;
  for (int64_t panel = 0; panel < of.panels; ++panel) {
    const float *left = a + panel * of.next_a, *right = b + panel * of.next_b;
    for (int64_t j = 0; j < depth; ++j, left += along, right += step) {
      Vector column[kWidth];
#pragma GCC unroll 8
      for (int v = 0; v < kWidth; ++v) {
        column[v] = *reinterpret_cast<const Vector*>(right + v * kLanes);
        HOLD(column[v]);
      }
#pragma GCC unroll 8
      for (int row = 0; row < kHeight; ++row) {
        const float value = left[row * across];
#pragma GCC unroll 8
        for (int v = 0; v < kWidth; ++v) sums[row][v] += value * column[v];
      }
    }
  }
  for (int row = 0; row < kHeight; ++row) std::memcpy(place + row * stride, sums[row], used * sizeof(float));
}

// Calls `visit` with the first channel and the number of vectors, as a constant, of each block of `channels`.
template <typename Visit>
void Blocks(int64_t channels, Visit visit) {
  for (int64_t from = 0, left; (left = (channels - from + kLanes - 1) / kLanes) > 0;) {
    // Four are two pairs rather than three and a lonely one.
    int64_t take = left == 4 ? 2 : std::min<int64_t>(left, kVectors);
    if (take == 3) visit(from, std::integral_constant<int, 3>());
    if (take == 2) visit(from, std::integral_constant<int, 2>());
    if (take == 1) visit(from, std::integral_constant<int, 1>());
    from += take * kLanes;
  }
}

int64_t Padded(int64_t channels) { return (channels + kLanes - 1) / kLanes * kLanes; }

// Rows [first, first + rows) of a picture with `before` and `after` columns of zeros, and zeros above and below it.
const float* Framed(const float* picture, const Shape& shape, int64_t first, int64_t rows, int64_t before,
                    int64_t width, std::vector<float>& room) {
  const int64_t line = shape.width * shape.channels, wide = width * shape.channels;
  room.assign(rows * wide, 0.0f);
  for (int64_t row = std::max<int64_t>(0, -first); row < std::min(rows, shape.height - first); ++row) {
    std::memcpy(&room[row * wide + before * shape.channels], picture + (first + row) * line, line * sizeof(float));
  }
  return room.data();
}

// One row [width, D] of a convolution's output, as much of it as a packed block of the kernel makes.
template <int kWidth>
void Row(const Product& product, const float* input, const float* kernel, float* output, int64_t width,
         int64_t features, int64_t used) {
  constexpr int kRows = Rows(kWidth);
  if (width < kRows) {
    for (int64_t column = 0; column < width; ++column) {
      Tile<1, kWidth, false>(product, input + column * product.across, kernel, output + column * features, features,
                             used);
    }
    return;
  }
  // The last tile begins earlier where a row is no multiple of tiles: some pixels are made twice, alike.
  for (int64_t next = 0; next < width; next += kRows) {
    const int64_t column = std::min(next, width - kRows);
    Tile<kRows, kWidth, false>(product, input + column * product.across, kernel, output + column * features, features,
                               used);
  }
}

// The kernel [k, k, C, D] as blocks of D, each [k, k, C, block], the last filled up with zeros.
std::vector<float> Packed(const float* kernel, int64_t depth, int64_t features) {
  std::vector<float> packed(depth * Padded(features), 0.0f);
  Blocks(features, [&](int64_t from, auto vectors) {
    const int64_t wide = vectors() * kLanes, used = std::min(wide, features - from);
    for (int64_t i = 0; i < depth; ++i) {
      std::copy_n(kernel + i * features + from, used, &packed[depth * from + i * wide]);
    }
  });
  return packed;
}

ffi::Error Convolution(ffi::ThreadPool pool, ffi::Buffer<ffi::F32> x, ffi::Buffer<ffi::F32> kernel,
                       ffi::ResultBuffer<ffi::F32> result, int64_t before) {
  const Shape in = ShapeOf(x.dimensions()), out = ShapeOf(result->dimensions());
  const int64_t size = kernel.dimensions()[0], depth = size * in.channels, wide = out.width + size - 1;
  const std::vector<float> packed = Packed(kernel.typed_data(), size * depth, out.channels);
  const int64_t rows = std::max<int64_t>(1, std::min(out.height, kPixels / out.width));
  const int64_t strips = (out.height + rows - 1) / rows;
  Parallel(pool, out.count * strips, [&](int64_t task) {
    thread_local std::vector<float> room;
    const int64_t item = task / strips, first = task % strips * rows, many = std::min(rows, out.height - first);
    const float* picture = x.typed_data() + item * in.height * in.width * in.channels;
    const float* framed = Framed(picture, in, first - before, many + size - 1, before, wide, room);
    float* output = result->typed_data() + (item * out.height + first) * out.width * out.channels;
    Blocks(out.channels, [&](int64_t from, auto vectors) {
      const int64_t block = vectors() * kLanes, line = wide * in.channels;
      const Product product = {size, depth, in.channels, 1, line, block, depth * block};
      for (int64_t row = 0; row < many; ++row) {
        Row<vectors()>(product, framed + row * line, &packed[size * depth * from],
                       output + row * out.width * out.channels + from, out.width, out.channels,
                       std::min(block, out.channels - from));
      }
    });
  });
  return ffi::Error::Success();
}

// sums [depth, D] += products of rows of framed input and of gradients, which have D channels, padded.
void Gather(const Product& product, const float* input, const float* gradient, int64_t depth, float* sums) {
  const int64_t features = product.step;
  Blocks(features, [&](int64_t from, auto vectors) {
    constexpr int kRows = Rows(vectors());
    const int64_t block = vectors() * kLanes;
    int64_t place = 0;
    for (; place + kRows <= depth; place += kRows) {
      Tile<kRows, vectors(), true>(product, input + place, gradient + from, sums + place * features + from, features,
                                   block);
    }
    for (; place < depth; ++place) {
      Tile<1, vectors(), true>(product, input + place, gradient + from, sums + place * features + from, features,
                               block);
    }
  });
}

ffi::Error KernelGradient(ffi::ThreadPool pool, ffi::Buffer<ffi::F32> x, ffi::Buffer<ffi::F32> gradient,
                          ffi::ResultBuffer<ffi::F32> result, int64_t before) {
  const Shape in = ShapeOf(x.dimensions()), out = ShapeOf(gradient.dimensions());
  const int64_t size = result->dimensions()[0], depth = size * in.channels, wide = out.width + size - 1;
  const int64_t features = Padded(out.channels), parts = std::min(kParts, out.count);
  const int64_t near = std::max(kLeast, kNear / (in.channels + features));
  const int64_t rows = std::max<int64_t>(1, std::min(out.height, near / out.width));
  std::vector<float> sums(parts * size * depth * features, 0.0f);
  Parallel(pool, parts, [&](int64_t part) {
    thread_local std::vector<float> room, filled;
    for (int64_t item = part * out.count / parts; item < (part + 1) * out.count / parts; ++item) {
      const float* picture = x.typed_data() + item * in.height * in.width * in.channels;
      for (int64_t first = 0; first < out.height; first += rows) {
        const int64_t many = std::min(rows, out.height - first);
        const float* framed = Framed(picture, in, first - before, many + size - 1, before, wide, room);
        const float* slope = gradient.typed_data() + (item * out.height + first) * out.width * out.channels;
        if (features != out.channels) {
          filled.assign(many * out.width * features, 0.0f);
          for (int64_t i = 0; i < many * out.width; ++i) {
            std::copy_n(slope + i * out.channels, out.channels, &filled[i * features]);
          }
          slope = filled.data();
        }
        const int64_t line = wide * in.channels;
        const Product product = {many, out.width, 1, in.channels, line, features, out.width * features};
        for (int64_t row = 0; row < size; ++row) {
          Gather(product, framed + row * line, slope, depth, &sums[(part * size + row) * depth * features]);
        }
      }
    }
  });
  float* total = result->typed_data();
  for (int64_t i = 0; i < size * depth; ++i) {
    for (int64_t channel = 0; channel < out.channels; ++channel) {
      float sum = 0.0f;
      for (int64_t part = 0; part < parts; ++part) sum += sums[(part * size * depth + i) * features + channel];
      total[i * out.channels + channel] = sum;
    }
  }
  return ffi::Error::Success();
}

// What both kernels are given: two arrays, a result, and the zeros before the first row and column.
auto Operands() {
  return ffi::Ffi::Bind()
      .Ctx<ffi::ThreadPool>()
      .Arg<ffi::Buffer<ffi::F32>>()
      .Arg<ffi::Buffer<ffi::F32>>()
      .Ret<ffi::Buffer<ffi::F32>>()
      .Attr<int64_t>("before");
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonConvolution, Convolution, Operands());
XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonKernelGradient, KernelGradient, Operands());
