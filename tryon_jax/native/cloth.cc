// The solver of simulation/cloth.py, which says what is done and why: frames of substeps of one garment. Arrays are
// rows of lanes, so that loops over lanes become vector instructions; corrections of a colour are made of positions
// before it, into a second buffer, and so are the tethers'.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "xla/ffi/api/ffi.h"

// Loops are compiled for the plain x86-64 and for AVX2, and the machine takes its own.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_MACHINE __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_MACHINE
#endif

namespace ffi = xla::ffi;

namespace {

constexpr int kCandidates = 16;  // collider points looked at for each vertex, at most
constexpr float kTiny = 1e-9f;   // metres, or metres a second: see cloth.py at each of its places

struct Constants {
  float step, gravity, reach, push, speed, limb_metres;
};

// Edges of some colours of the first `width` lanes.
struct Edges {
  const int32_t* partner;
  const float *rest, *hold, *cotangent;
  int64_t stride, width;
  int used;
};

// Three rows of lanes, as of x, y and z.
struct Rows {
  std::vector<float> values;
  int64_t stride;
  explicit Rows(int64_t lanes) : values(3 * lanes, 0.0f), stride(lanes) {}
  float* operator[](int row) { return values.data() + row * stride; }
};

// Row `place` of keys, between two of them.
void Between(const float* keys, int64_t count, int64_t rows, float place, float* found) {
  int64_t first = std::min(std::max<int64_t>(std::floor(place), 0), std::max<int64_t>(count - 2, 0));
  const float *a = keys + first * rows, *b = keys + std::min(first + 1, count - 1) * rows;
  const float share = place - first;
  for (int64_t i = 0; i < rows; ++i) found[i] = a[i] + share * (b[i] - a[i]);
}

// exp of what is not above zero, to a few units in the last place (Cody and Waite's reduction); 0 far below.
inline float Exp(float x) {
  const float low = x < -87.0f ? -87.0f : x;
  const int32_t power = static_cast<int32_t>(low * 1.44269504f - 0.5f);
  const float whole = static_cast<float>(power);
  const float r = (low - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float sum = 1.9875691500e-4f;
  sum = sum * r + 1.3981999507e-3f;
  sum = sum * r + 8.3334519073e-3f;
  sum = sum * r + 4.1665795894e-2f;
  sum = sum * r + 1.6666665459e-1f;
  sum = sum * r + 5.0000001201e-1f;
  sum = sum * r * r + r + 1.0f;
  const int32_t bits = (power + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return sum * scale;
}

FOR_EACH_MACHINE
void Shortened(const int32_t* __restrict partner, const float* __restrict rest, const float* __restrict hold,
               const float* __restrict x, const float* __restrict y, const float* __restrict z, float* __restrict new_x,
               float* __restrict new_y, float* __restrict new_z, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const int32_t other = partner[i];
    const float dx = x[i] - x[other], dy = y[i] - y[other], dz = z[i] - z[other];
    const float length = std::sqrt(dx * dx + dy * dy + dz * dz) + kTiny;
    const float share = 0.5f * hold[i] * (1.0f - rest[i] / length);
    new_x[i] = x[i] - share * dx, new_y[i] = y[i] - share * dy, new_z[i] = z[i] - share * dz;
  }
}

FOR_EACH_MACHINE
void Summed(const int32_t* __restrict partner, const float* __restrict cotangent, const float* __restrict x,
            const float* __restrict y, const float* __restrict z, float* __restrict sum_x, float* __restrict sum_y,
            float* __restrict sum_z, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const int32_t other = partner[i];
    const float weight = cotangent[i];
    sum_x[i] += weight * (x[other] - x[i]);
    sum_y[i] += weight * (y[other] - y[i]);
    sum_z[i] += weight * (z[other] - z[i]);
  }
}

FOR_EACH_MACHINE
void Scaled(const float* __restrict factor, float* __restrict x, float* __restrict y, float* __restrict z,
            int64_t count) {
  for (int64_t i = 0; i < count; ++i) x[i] *= factor[i], y[i] *= factor[i], z[i] *= factor[i];
}

FOR_EACH_MACHINE
void Lessened(const float* __restrict factor, const float* __restrict sum, float* __restrict row, int64_t count) {
  for (int64_t i = 0; i < count; ++i) row[i] -= factor[i] * sum[i];
}

// All that the lanes of a garment are and do.
struct Garment {
  Edges many, few;
  int64_t stride, count;  // lanes, and those of them that are vertices: padding is at the end
  const float *curved, *soft, *area, *tether, *thickness, *ceiling, *pinned;
  const float *limbs, *counts;
  const int32_t* anchor;
  const Constants& constants;

  // Edges toward their rest lengths, from p to p by way of q.
  void Stretch(Rows& p, Rows& q) const {
    for (const Edges* edges : {&many, &few}) {
      for (int colour = 0; colour < edges->used; ++colour) {
        const int64_t own = colour * edges->stride;
        Shortened(edges->partner + own, edges->rest + own, edges->hold + own, p[0], p[1], p[2], q[0], q[1], q[2],
                  edges->width);
        if (edges->width == count) {
          std::swap(p.values, q.values);
        } else {
          for (int axis = 0; axis < 3; ++axis) std::copy(q[axis], q[axis] + edges->width, p[axis]);
        }
      }
    }
  }

  void Laplacian(Rows& p, Rows& sum) const {
    std::fill(sum.values.begin(), sum.values.end(), 0.0f);
    for (const Edges* edges : {&many, &few}) {
      for (int colour = 0; colour < edges->used; ++colour) {
        const int64_t own = colour * edges->stride;
        Summed(edges->partner + own, edges->cotangent + own, p[0], p[1], p[2], sum[0], sum[1], sum[2], edges->width);
      }
    }
  }

  void Bend(Rows& p, const float* softened, Rows& once, Rows& twice) const {
    Laplacian(p, once);
    Scaled(curved, once[0], once[1], once[2], count);
    Laplacian(once, twice);
    for (int axis = 0; axis < 3; ++axis) Lessened(softened, twice[axis], p[axis], count);
  }
};

// Where the garment may go in one frame; offset and pins are of the frame's start, moved and pins_moved a substep.
struct Frame {
  Rows normal, moved, pins, pins_moved, arm_start, arm_axis;
  std::vector<float> offset, arm_radius, softened;
  explicit Frame(int64_t count)
      : normal(count), moved(count), pins(count), pins_moved(count), arm_start(count), arm_axis(count), offset(count),
        arm_radius(count), softened(count) {}
};

// Contact planes by moving least squares, and the nearest points.
FOR_EACH_MACHINE
void Planes(Rows& x, const Garment& garment, const float* points, const float* ends, const float* normals,
            const int32_t* ring, const float* limbs, int64_t sites, int rings, int substeps, int rotation,
            const int32_t* before, int32_t* chosen, Frame& frame) {
  constexpr int64_t kLanes = 32;
  const int32_t* partner = garment.many.partner + rotation * garment.many.stride;
  const int64_t count = garment.count;
  const Constants constants = garment.constants;
  const int candidates = rings + 1;
  const float *__restrict px = points, *__restrict py = points + sites, *__restrict pz = points + 2 * sites;
  const float *__restrict nx = normals, *__restrict ny = normals + sites, *__restrict nz = normals + 2 * sites;
  const float wide = 1.0f / (2.0f * constants.reach * constants.reach);
  for (int64_t start = 0; start < count; start += kLanes) {
    const int64_t lanes = std::min(kLanes, count - start);
    int32_t seen[kCandidates][kLanes], best[kLanes];
    float away[kCandidates][kLanes], least[kLanes], sum[4][kLanes] = {}, total[kLanes] = {};
    const float *x0 = x[0] + start, *x1 = x[1] + start, *x2 = x[2] + start;
    const float *limb0 = garment.limbs + start, *limb1 = garment.limbs + garment.stride + start;
    const float *count0 = garment.counts + start, *count1 = garment.counts + garment.stride + start;
    for (int64_t i = 0; i < lanes; ++i) {
      const int32_t mine = before[start + i];
      for (int k = 0; k < rings; ++k) seen[k][i] = ring[k * sites + mine];
      seen[rings][i] = before[partner[start + i]];
    }
    for (int k = 0; k < candidates; ++k) {
      for (int64_t i = 0; i < lanes; ++i) {
        const int32_t site = seen[k][i];
        const float dx = px[site] - x0[i], dy = py[site] - x1[i], dz = pz[site] - x2[i];
        const float a = constants.limb_metres * (limbs[site] - limb0[i]);
        const float b = constants.limb_metres * (limbs[sites + site] - limb1[i]);
        away[k][i] = dx * dx + dy * dy + dz * dz + count0[i] * a * a + count1[i] * b * b;
      }
    }
    for (int64_t i = 0; i < lanes; ++i) best[i] = seen[0][i], least[i] = away[0][i];
    for (int k = 1; k < candidates; ++k) {
      for (int64_t i = 0; i < lanes; ++i) {
        const float now = away[k][i], until = least[i];
        const int32_t site = seen[k][i], other = best[i];
        best[i] = now < until ? site : other;
        least[i] = now < until ? now : until;
      }
    }
    for (int k = 0; k < candidates; ++k) {
      for (int64_t i = 0; i < lanes; ++i) away[k][i] = Exp((least[i] - away[k][i]) * wide);
      for (int64_t i = 0; i < lanes; ++i) {
        const int32_t site = seen[k][i];
        const float weight = away[k][i];
        const float a = nx[site], b = ny[site], c = nz[site];
        total[i] += weight;
        sum[0][i] += weight * a, sum[1][i] += weight * b, sum[2][i] += weight * c;
        sum[3][i] += weight * (a * px[site] + b * py[site] + c * pz[site]);
      }
    }
    float *to_x = frame.normal[0] + start, *to_y = frame.normal[1] + start, *to_z = frame.normal[2] + start;
    float *offset = frame.offset.data() + start, *m0 = frame.moved[0] + start, *m1 = frame.moved[1] + start;
    float* m2 = frame.moved[2] + start;
    for (int64_t i = 0; i < lanes; ++i) {
      const float a = sum[0][i] / total[i], b = sum[1][i] / total[i], c = sum[2][i] / total[i];
      const float norm = std::sqrt(a * a + b * b + c * c);
      const float length = norm < 0.2f ? 0.2f : norm;
      to_x[i] = a / length, to_y[i] = b / length, to_z[i] = c / length;
      offset[i] = sum[3][i] / total[i] / length;
    }
    for (int64_t i = 0; i < lanes; ++i) {
      const int32_t site = best[i];
      chosen[start + i] = site;
      m0[i] = (ends[site] - px[site]) / substeps;
      m1[i] = (ends[sites + site] - py[site]) / substeps;
      m2[i] = (ends[2 * sites + site] - pz[site]) / substeps;
    }
  }
}

// Of the limbs' capsules, `arms` [N, 2, 3], the nearest to each vertex.
FOR_EACH_MACHINE
void NearestArm(Rows& x, const float* arms, const float* radius, int number, int64_t count, Frame& frame) {
  const float* __restrict x0 = x[0];
  const float* __restrict x1 = x[1];
  const float* __restrict x2 = x[2];
  std::vector<float> best(count, std::numeric_limits<float>::infinity());
  std::vector<int32_t> nearest(count, 0);
  for (int limb = 0; limb < number; ++limb) {
    const float* start = arms + 6 * limb;
    const float ax = start[3] - start[0], ay = start[4] - start[1], az = start[5] - start[2];
    const float squared = ax * ax + ay * ay + az * az;
    for (int64_t i = 0; i < count; ++i) {
      const float dx = x0[i] - start[0], dy = x1[i] - start[1], dz = x2[i] - start[2];
      float share = (dx * ax + dy * ay + dz * az) / squared;
      share = share < 0.0f ? 0.0f : share;
      share = share > 1.0f ? 1.0f : share;
      const float ox = dx - share * ax, oy = dy - share * ay, oz = dz - share * az;
      const float away = std::sqrt(ox * ox + oy * oy + oz * oz) - radius[limb];
      nearest[i] = away < best[i] ? limb : nearest[i];
      best[i] = away < best[i] ? away : best[i];
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    const float* start = arms + 6 * nearest[i];
    for (int axis = 0; axis < 3; ++axis) {
      frame.arm_start[axis][i] = start[axis];
      frame.arm_axis[axis][i] = start[3 + axis] - start[axis];
    }
    frame.arm_radius[i] = radius[nearest[i]];
  }
}

inline float Clipped(float value, float most) {
  value = value < 0.0f ? 0.0f : value;
  return value > most ? most : value;
}

// What a substep does after stretch and bending to every lane by itself: from positions p to x, with velocities v.
FOR_EACH_MACHINE
void Held(const Garment& garment, Rows& p, Frame& frame, float substep, float damping, float friction, Rows& x,
          Rows& v) {
  const Constants constants = garment.constants;
  const float back = damping / constants.step, push = constants.push, speed = constants.speed;
  const float *p0 = p[0], *p1 = p[1], *p2 = p[2];
  float *x0 = x[0], *x1 = x[1], *x2 = x[2], *v0 = v[0], *v1 = v[1], *v2 = v[2];
  const float *nx = frame.normal[0], *ny = frame.normal[1], *nz = frame.normal[2];
  const float *mx = frame.moved[0], *my = frame.moved[1], *mz = frame.moved[2];
  const float *pin0 = frame.pins[0], *pin1 = frame.pins[1], *pin2 = frame.pins[2];
  const float *go0 = frame.pins_moved[0], *go1 = frame.pins_moved[1], *go2 = frame.pins_moved[2];
  const float *s0 = frame.arm_start[0], *s1 = frame.arm_start[1], *s2 = frame.arm_start[2];
  const float *a0 = frame.arm_axis[0], *a1 = frame.arm_axis[1], *a2 = frame.arm_axis[2];
  const float *radius = frame.arm_radius.data(), *offset = frame.offset.data();
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#endif
  for (int64_t i = 0; i < garment.count; ++i) {
    const int32_t other = garment.anchor[i];
    const float tx = p0[i] - p0[other], ty = p1[i] - p1[other], tz = p2[i] - p2[other];
    const float far = std::sqrt(tx * tx + ty * ty + tz * tz) + kTiny;
    float share = 1.0f - garment.tether[i] / far;
    share = share < 0.0f ? 0.0f : share;
    float x_ = p0[i] - share * tx, y = p1[i] - share * ty, z = p2[i] - share * tz;
    const float pinned = garment.pinned[i];
    x_ += pinned * (pin0[i] + substep * go0[i] - x_);
    y += pinned * (pin1[i] + substep * go1[i] - y);
    z += pinned * (pin2[i] + substep * go2[i] - z);
    const float a = nx[i], b = ny[i], c = nz[i], thickness = garment.thickness[i];
    const float height = offset[i] + substep * (a * mx[i] + b * my[i] + c * mz[i]);
    // Under the arms, which press cloth of the trunk and never lift it.
    float room = a * x_ + b * y + c * z - height - thickness;
    room = room < 0.0f ? 0.0f : room;
    const float dx = x_ - s0[i], dy = y - s1[i], dz = z - s2[i];
    float along = (dx * a0[i] + dy * a1[i] + dz * a2[i]) / (a0[i] * a0[i] + a1[i] * a1[i] + a2[i] * a2[i]);
    along = along < 0.0f ? 0.0f : along;
    along = along > 1.0f ? 1.0f : along;
    const float ox = dx - along * a0[i], oy = dy - along * a1[i], oz = dz - along * a2[i];
    const float away = std::sqrt(ox * ox + oy * oy + oz * oz + 1e-12f);
    float deep = Clipped(radius[i] + thickness - away, push);
    deep = room < deep ? room : deep;
    deep = std::abs(garment.limbs[i]) < 0.6f ? deep : 0.0f;
    x_ -= deep * a, y -= deep * b, z -= deep * c;
    const float high = Clipped(a * x_ + b * y + c * z - height - garment.ceiling[i], push);
    x_ -= high * a, y -= high * b, z -= high * c;
    const float inside = height + thickness - (a * x_ + b * y + c * z);
    const float out = Clipped(inside, push);
    x_ += out * a, y += out * b, z += out * c;
    float sx = x_ - x0[i] - mx[i], sy = y - x1[i] - my[i], sz = z - x2[i] - mz[i];
    const float rise = a * sx + b * sy + c * sz;
    const float rub = inside > -5e-4f ? friction : 0.0f;
    x_ -= rub * (sx - rise * a), y -= rub * (sy - rise * b), z -= rub * (sz - rise * c);
    const float fx = (x_ - x0[i]) * back, fy = (y - x1[i]) * back, fz = (z - x2[i]) * back;
    const float fast = speed / (std::sqrt(fx * fx + fy * fy + fz * fz) + kTiny);
    const float slow = fast < 1.0f ? fast : 1.0f;
    v0[i] = fx * slow, v1[i] = fy * slow, v2[i] = fz * slow;
    x0[i] = x_, x1[i] = y, x2[i] = z;
  }
}

FOR_EACH_MACHINE
void Moved(const Constants& constants, float gravity, int64_t count, Rows& x, Rows& v, Rows& p) {
  const float step = constants.step, fall = -constants.gravity * gravity * step;
  for (int axis = 0; axis < 3; ++axis) {
    const float* __restrict from = x[axis];
    float* __restrict speed = v[axis];
    float* __restrict to = p[axis];
    const float more = axis == 2 ? fall : 0.0f;
    for (int64_t i = 0; i < count; ++i) speed[i] += more, to[i] = from[i] + step * speed[i];
  }
}

using Floats = ffi::Buffer<ffi::F32>;
using Whole = ffi::Buffer<ffi::S32>;

Edges EdgesOf(Whole partner, Floats rest, Floats hold, Floats cotangent, Whole used, int64_t count) {
  const int64_t stride = partner.dimensions()[1];
  return {partner.typed_data(), rest.typed_data(), hold.typed_data(), cotangent.typed_data(), stride,
          std::min(stride, count), used.typed_data()[0]};
}

// Lanes up to the last that has a neighbour: what follows only fills its room.
int64_t Vertices(Whole partner) {
  const int64_t colours = partner.dimensions()[0], stride = partner.dimensions()[1];
  int64_t last = 0;
  for (int64_t colour = 0; colour < colours; ++colour) {
    const int32_t* row = partner.typed_data() + colour * stride;
    for (int64_t i = stride; i > last; --i) {
      if (row[i - 1] != i - 1) last = i;
    }
  }
  return last;
}

ffi::Error Cloth(Floats start, Whole nearest, Whole many_partner, Floats many_rest, Floats many_hold,
                 Floats many_cotangent, Whole many_used, Whole few_partner, Floats few_rest, Floats few_hold,
                 Floats few_cotangent, Whole few_used, Floats lanes, Whole anchor, Floats lane_limbs, Floats points,
                 Floats normals, Whole ring, Floats limbs, Floats arms, Floats arms_radius, Floats pins, Floats forces,
                 Floats schedule, ffi::ResultBuffer<ffi::F32> found, ffi::ResultBuffer<ffi::S32> found_nearest,
                 ffi::ResultBuffer<ffi::F32> found_speed, int32_t substeps, float step, float gravity, float reach,
                 float push, float speed, float limb_metres) {
  const Constants constants = {step, gravity, reach, push, speed, limb_metres};
  const int64_t stride = start.dimensions()[1], count = Vertices(many_partner);
  const int64_t keys = points.dimensions()[0], sites = points.dimensions()[2];
  const int64_t frames = schedule.dimensions()[1], number = arms.dimensions()[1];
  const int rings = static_cast<int>(ring.dimensions()[0]);
  if (rings + 1 > kCandidates) return ffi::Error::InvalidArgument("cloth.cc: more neighbours of a point than it holds");
  const float* row = lanes.typed_data();
  const Garment garment = {EdgesOf(many_partner, many_rest, many_hold, many_cotangent, many_used, count),
                           EdgesOf(few_partner, few_rest, few_hold, few_cotangent, few_used, count),
                           stride, count, row, row + stride, row + 2 * stride, row + 3 * stride, row + 4 * stride,
                           row + 5 * stride, row + 6 * stride, lane_limbs.typed_data(),
                           lane_limbs.typed_data() + 2 * stride,
                           anchor.typed_data(), constants};
  const float *plan = schedule.typed_data(), bending = forces.typed_data()[0], friction = forces.typed_data()[1];
  Rows x(stride), v(stride), p(stride), q(stride), twice(stride);
  Rows point_start(sites), point_end(sites), direction(sites);
  Frame frame(stride);
  std::copy(start.typed_data(), start.typed_data() + 3 * stride, x[0]);
  std::vector<int32_t> chosen(nearest.typed_data(), nearest.typed_data() + stride), next = chosen;
  std::vector<float> held_next(3 * stride), ends(6 * number);
  for (int64_t at = 0; at < frames && plan[4 * frames + at] > 0; ++at) {
    const float key = plan[at], following = plan[frames + at], weight = plan[2 * frames + at];
    const float stiffness = plan[3 * frames + at], damping = plan[4 * frames + at];
    Between(points.typed_data(), keys, 3 * sites, key, point_start[0]);
    Between(points.typed_data(), keys, 3 * sites, following, point_end[0]);
    Between(normals.typed_data(), keys, 3 * sites, key, direction[0]);
    Planes(x, garment, point_start[0], point_end[0], direction[0], ring.typed_data(), limbs.typed_data(), sites, rings,
           substeps, static_cast<int>(at % garment.many.used), chosen.data(), next.data(), frame);
    std::swap(chosen, next);
    Between(pins.typed_data(), keys, 3 * stride, key, frame.pins[0]);
    Between(pins.typed_data(), keys, 3 * stride, following, held_next.data());
    for (int64_t i = 0; i < 3 * stride; ++i) frame.pins_moved[0][i] = (held_next[i] - frame.pins[0][i]) / substeps;
    Between(arms.typed_data(), keys, 6 * number, following, ends.data());
    NearestArm(x, ends.data(), arms_radius.typed_data(), static_cast<int>(number), count, frame);
    for (int64_t i = 0; i < count; ++i) {
      const float strength = 2.0f * bending * stiffness * step * step / garment.area[i];
      frame.softened[i] = strength / (1.0f + 2.0f * strength * garment.soft[i]);
    }
    for (int substep = 0; substep < substeps; ++substep) {
      Moved(constants, weight, count, x, v, p);
      garment.Stretch(p, q);
      if (substep % 2 == 0) garment.Bend(p, frame.softened.data(), q, twice);
      Held(garment, p, frame, static_cast<float>(substep + 1), damping, friction, x, v);
    }
  }
  std::copy(x[0], x[0] + 3 * stride, found->typed_data());
  std::copy(chosen.begin(), chosen.end(), found_nearest->typed_data());
  float* rate = found_speed->typed_data();
  for (int64_t i = 0; i < stride; ++i) {
    rate[i] = std::sqrt(v[0][i] * v[0][i] + v[1][i] * v[1][i] + v[2][i] * v[2][i]);
  }
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(TryonCloth, Cloth,
                              ffi::Ffi::Bind()
                                  .Arg<Floats>().Arg<Whole>()
                                  .Arg<Whole>().Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Whole>()
                                  .Arg<Whole>().Arg<Floats>().Arg<Floats>().Arg<Floats>().Arg<Whole>()
                                  .Arg<Floats>().Arg<Whole>().Arg<Floats>()
                                  .Arg<Floats>().Arg<Floats>().Arg<Whole>().Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                  .Arg<Floats>().Arg<Floats>().Arg<Floats>()
                                  .Ret<Floats>().Ret<Whole>().Ret<Floats>()
                                  .Attr<int32_t>("substeps").Attr<float>("step").Attr<float>("gravity")
                                  .Attr<float>("reach").Attr<float>("push").Attr<float>("speed")
                                  .Attr<float>("limb_metres"));
