// The rasteriser of rasterize.py as one pass over the triangles, for CPUs. Same ids, by the same arithmetic:
// positions snapped to 1/256 pixel, whole-number edge functions under the top-left rule, depth in float32 in the
// same order of operations (so: compile without contraction of a * b + c), equal levels to the lower number.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>

#include "batch.h"

namespace {

constexpr int64_t kSubpixels = 256;
constexpr int64_t kMaxExtent = (1 << 20) - 1;
constexpr float kDepthUnit = 1.0f / (1 << 20);
constexpr int32_t kNone = -1, kOverflow = -2;

struct Point {
  int64_t x, y;
};

// A snapped position as it is kept: four bytes a number, so that those of a mesh stay in the cache.
struct Snapped {
  int32_t x, y;
};

// What a pixel holds of its two layers, side by side: one line of the cache a candidate.
struct Kept {
  int32_t front, back, front_level, back_level;
};

struct Triangle {
  Point corner[3];
  float depth[3];
  int64_t x_first, x_last, y_first, y_last;
};

int32_t Snap(float pixel) {
  constexpr float kLimit = 268435456.0f;  // 2^28
  float scaled = pixel * static_cast<float>(kSubpixels);
  if (!std::isfinite(scaled)) return 1 << 28;
  return static_cast<int32_t>(std::lrintf(std::min(std::max(scaled, -kLimit), kLimit)));
}

int64_t Cross(Point a, Point b, Point p) { return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x); }

// The float that the two int32 words of an edge function make.
float AsFloat(int64_t edge) {
  return static_cast<float>(static_cast<int32_t>(edge >> 10)) * 1024.0f + static_cast<float>(edge & 1023);
}

// Smallest value that counts as inside: 0 on top and left edges, else 1.
int64_t Least(Point a, Point b) {
  int64_t dx = b.x - a.x, dy = b.y - a.y;
  return (dy < 0 || (dy == 0 && dx > 0)) ? 0 : 1;
}

int32_t Level(float depth) {
  float level = std::min(std::max(depth / kDepthUnit, -1073741824.0f), 1073741824.0f);
  return static_cast<int32_t>(std::lrintf(level));
}

// One mesh. Returns false where rasterize.py sets its overflow flag.
class Picture {
 public:
  Picture(int64_t height, int64_t width, int32_t* front, int32_t* back)
      : height_(height), width_(width), front_(front), back_(back), kept_(new Kept[height * width]) {}

  bool Draw(const float* vertices, int64_t vertex_count, const int32_t* faces, int64_t face_count, int64_t capacity) {
    // Not cleared: every entry is written before it is read.
    std::unique_ptr<Snapped[]> snapped(new Snapped[vertex_count]);
    std::unique_ptr<char[]> finite(new char[vertex_count]);
    for (int64_t v = 0; v < vertex_count; ++v) {
      const float* vertex = vertices + 3 * v;
      snapped[v] = {Snap(vertex[0]), Snap(vertex[1])};
      finite[v] = std::isfinite(vertex[0]) && std::isfinite(vertex[1]) && std::isfinite(vertex[2]);
    }
    std::fill(kept_.get(), kept_.get() + height_ * width_, Kept{kNone, kNone, INT32_MIN, INT32_MAX});
    const bool all_finite = std::find(finite.get(), finite.get() + vertex_count, 0) == finite.get() + vertex_count;
    int64_t total = 0;
    // Here and below | and & where && would do: triangles of a pixel make branches that no processor foresees.
    for (int64_t number = 0; number < face_count; ++number) {
      const int32_t* face = faces + 3 * number;
      if ((face[0] == face[1]) | (face[1] == face[2]) | (face[2] == face[0])) continue;
      Triangle triangle;
      for (int i = 0; i < 3; ++i) {
        if (!all_finite && !finite[face[i]]) return false;
        triangle.corner[i] = {snapped[face[i]].x, snapped[face[i]].y};
        triangle.depth[i] = vertices[3 * face[i] + 2];
      }
      if (!Place(&triangle, &total)) return false;
      if (triangle.x_first <= triangle.x_last && triangle.y_first <= triangle.y_last) {
        Fill(triangle, static_cast<int32_t>(number));
      }
    }
    for (int64_t pixel = 0; pixel < height_ * width_; ++pixel) {
      front_[pixel] = kept_[pixel].front;
      back_[pixel] = kept_[pixel].back;
    }
    return total <= capacity;
  }

 private:
  // First and last pixel of the triangle's box, an empty one where it covers nothing; its candidates are counted.
  bool Place(Triangle* triangle, int64_t* total) {
    Point* corner = triangle->corner;
    const int64_t x_low = std::min(std::min(corner[0].x, corner[1].x), corner[2].x);
    const int64_t x_high = std::max(std::max(corner[0].x, corner[1].x), corner[2].x);
    const int64_t y_low = std::min(std::min(corner[0].y, corner[1].y), corner[2].y);
    const int64_t y_high = std::max(std::max(corner[0].y, corner[1].y), corner[2].y);
    bool large = std::max(x_high - x_low, y_high - y_low) > kMaxExtent;
    constexpr int64_t kHalf = kSubpixels / 2;
    triangle->x_first = std::max<int64_t>((x_low - kHalf + kSubpixels - 1) >> 8, 0);
    triangle->x_last = std::min((x_high - kHalf) >> 8, width_ - 1);
    triangle->y_first = std::max<int64_t>((y_low - kHalf + kSubpixels - 1) >> 8, 0);
    triangle->y_last = std::min((y_high - kHalf) >> 8, height_ - 1);
    if ((triangle->x_first > triangle->x_last) | (triangle->y_first > triangle->y_last)) return true;
    if (large) return false;
    int64_t area = Cross(corner[0], corner[1], corner[2]);
    if (area == 0) {
      triangle->x_last = triangle->x_first - 1;
      return true;
    }
    *total += (triangle->x_last - triangle->x_first + 1) * (triangle->y_last - triangle->y_first + 1);
    if (area < 0) {
      std::swap(corner[1], corner[2]);
      std::swap(triangle->depth[1], triangle->depth[2]);
    }
    return true;
  }

  void Fill(const Triangle& triangle, int32_t number) {
    const Point &a = triangle.corner[0], &b = triangle.corner[1], &c = triangle.corner[2];
    const int64_t least_a = Least(b, c), least_b = Least(c, a), least_c = Least(a, b);
    const float slope_b = triangle.depth[1] - triangle.depth[0], slope_c = triangle.depth[2] - triangle.depth[0];
    const Point first = {triangle.x_first * kSubpixels + kSubpixels / 2, triangle.y_first * kSubpixels + kSubpixels / 2};
    int64_t row_a = Cross(b, c, first), row_b = Cross(c, a, first), row_c = Cross(a, b, first);
    const int64_t right_a = -(c.y - b.y) * kSubpixels, right_b = -(a.y - c.y) * kSubpixels;
    const int64_t right_c = -(b.y - a.y) * kSubpixels;
    const int64_t down_a = (c.x - b.x) * kSubpixels, down_b = (a.x - c.x) * kSubpixels;
    const int64_t down_c = (b.x - a.x) * kSubpixels;
    for (int64_t y = triangle.y_first; y <= triangle.y_last; ++y) {
      int64_t edge_a = row_a, edge_b = row_b, edge_c = row_c;
      for (int64_t x = triangle.x_first; x <= triangle.x_last; ++x) {
        if ((edge_a >= least_a) & (edge_b >= least_b) & (edge_c >= least_c)) {
          const float weight_a = AsFloat(edge_a), weight_b = AsFloat(edge_b), weight_c = AsFloat(edge_c);
          const float area = std::max(weight_a + weight_b + weight_c, 1.0f);
          const float rise = weight_b * slope_b + weight_c * slope_c;
          Keep(y * width_ + x, Level(triangle.depth[0] + rise / area), number);
        }
        edge_a += right_a, edge_b += right_b, edge_c += right_c;
      }
      row_a += down_a, row_b += down_b, row_c += down_c;
    }
  }

  // Triangles come in the order of their numbers, so an equal level never takes a pixel over.
  void Keep(int64_t pixel, int32_t level, int32_t number) {
    Kept* kept = &kept_[pixel];
    if (level > kept->front_level) {
      kept->front_level = level;
      kept->front = number;
    }
    if (level < kept->back_level) {
      kept->back_level = level;
      kept->back = number;
    }
  }

  const int64_t height_, width_;
  int32_t *front_, *back_;
  std::unique_ptr<Kept[]> kept_;
};

ffi::Error Rasterize(ffi::Buffer<ffi::F32> vertices, ffi::Buffer<ffi::S32> faces, int64_t capacity,
                     ffi::ResultBuffer<ffi::S32> front, ffi::ResultBuffer<ffi::S32> back,
                     ffi::ResultBuffer<ffi::PRED> overflow) {
  auto shape = front->dimensions(), vertex_shape = vertices.dimensions(), face_shape = faces.dimensions();
  size_t leading = shape.size() - 2;
  if (vertex_shape.size() != leading + 2 || face_shape.size() != leading + 2) {
    return ffi::Error::InvalidArgument("vertices and faces need the leading axes of the result");
  }
  int64_t height = shape[leading], width = shape[leading + 1], pixels = height * width;
  int64_t vertex_count = vertex_shape[leading], face_count = face_shape[leading];
  for (int64_t index = 0; index < Items(shape, leading); ++index) {
    const float* own_vertices = vertices.typed_data() + 3 * vertex_count * Item(index, shape, vertex_shape, leading);
    const int32_t* own_faces = faces.typed_data() + 3 * face_count * Item(index, shape, face_shape, leading);
    int32_t *own_front = front->typed_data() + index * pixels, *own_back = back->typed_data() + index * pixels;
    Picture picture(height, width, own_front, own_back);
    bool whole = picture.Draw(own_vertices, vertex_count, own_faces, face_count, capacity);
    if (!whole) {
      std::fill(own_front, own_front + pixels, kOverflow);
      std::fill(own_back, own_back + pixels, kOverflow);
    }
    overflow->typed_data()[index] = !whole;
  }
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonRasterize, Rasterize,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Attr<int64_t>("capacity")
                                  .Ret<ffi::Buffer<ffi::S32>>()
                                  .Ret<ffi::Buffer<ffi::S32>>()
                                  .Ret<ffi::Buffer<ffi::PRED>>());
