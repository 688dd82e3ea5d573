// Nearest points in a tree of halves, as garments/nearby.py asks for them.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

constexpr int kLeaf = 10;  // points of a leaf at most
// Square metres by which rounding may take a half of the tree for further away than it is.
constexpr double kSlack = 1e-12;

template <int kWidth>
struct Point {
  double place[kWidth];
  int32_t number;
};

// Nodes [N, 3] i32: axis, -1 for leaves, then the first point and one more than the last of a leaf, or the node of the
// upper half, where the lower one is the next node; split [N]: where halves meet.
struct Nodes {
  int32_t* node;
  double* split;
  int64_t count;
};

template <int kWidth>
void Build(Point<kWidth>* points, int32_t first, int32_t last, Nodes& nodes) {
  const int64_t own = nodes.count++;
  int32_t* node = nodes.node + 3 * own;
  double low[kWidth], high[kWidth];
  for (int axis = 0; axis < kWidth; ++axis) low[axis] = high[axis] = points[first].place[axis];
  for (int32_t one = first + 1; one < last; ++one) {
    for (int axis = 0; axis < kWidth; ++axis) {
      low[axis] = std::min(low[axis], points[one].place[axis]);
      high[axis] = std::max(high[axis], points[one].place[axis]);
    }
  }
  int widest = 0;
  for (int axis = 1; axis < kWidth; ++axis) {
    if (high[axis] - low[axis] > high[widest] - low[widest]) widest = axis;
  }
  const double middle = (low[widest] + high[widest]) / 2;
  // The middle of two neighbouring numbers may be the lower of them.
  if (last - first <= kLeaf || !(middle > low[widest])) {
    node[0] = -1, node[1] = first, node[2] = last;
    return;
  }
  const auto* cut = std::partition(points + first, points + last,
                                   [=](const Point<kWidth>& one) { return one.place[widest] < middle; });
  const int32_t half = cut - points;
  nodes.split[own] = middle;
  Build(points, first, half, nodes);
  node[0] = widest, node[1] = nodes.count, node[2] = 0;
  Build(points, half, last, nodes);
}

template <int kWidth>
void Tree(const double* points, int64_t count, double* ordered, int32_t* numbers, int32_t* node, double* split) {
  std::vector<Point<kWidth>> own(count);
  for (int64_t one = 0; one < count; ++one) {
    std::copy(points + one * kWidth, points + (one + 1) * kWidth, own[one].place);
    own[one].number = one;
  }
  Nodes nodes{node, split, 0};
  Build(own.data(), 0, count, nodes);
  for (int64_t one = 0; one < count; ++one) {
    std::copy(own[one].place, own[one].place + kWidth, ordered + one * kWidth);
    numbers[one] = own[one].number;
  }
}

// The best k so far in rising order of distance, of equal ones those with lower numbers first.
template <int kWidth>
struct Search {
  const double *ordered, *split;
  const int32_t *numbers, *node;
  int64_t k;
  const double* p;
  double* away;
  int64_t* found;
  int32_t last;        // place of the last point that was taken
  double off[kWidth];  // metres from p to the half that is looked at, along each axis

  double Square(const double* other) const {
    double square = 0;
    for (int axis = 0; axis < kWidth; ++axis) square += (p[axis] - other[axis]) * (p[axis] - other[axis]);
    return square;
  }

  void Offer(int32_t place) {
    const double square = Square(ordered + int64_t{place} * kWidth);
    if (square > away[k - 1]) return;
    const int64_t number = numbers[place];
    auto before = [&](int64_t slot) { return square < away[slot] || (square == away[slot] && number < found[slot]); };
    int64_t slot = k - 1;
    if (!before(slot)) return;
    for (; slot > 0 && before(slot - 1); --slot) away[slot] = away[slot - 1], found[slot] = found[slot - 1];
    away[slot] = square, found[slot] = number;
    last = place;
  }

  void Visit(int32_t own, double square) {
    const int32_t* it = node + 3 * own;
    const int axis = it[0];
    if (axis < 0) {
      for (int32_t place = it[1]; place < it[2]; ++place) Offer(place);
      return;
    }
    const double beyond = p[axis] - split[own];
    Visit(beyond < 0 ? own + 1 : it[1], square);
    const double before = off[axis], other = square - before * before + beyond * beyond;
    if (other > away[k - 1] + kSlack) return;
    off[axis] = beyond;
    Visit(beyond < 0 ? it[1] : own + 1, other);
    off[axis] = before;
  }
};

template <int kWidth>
void Nearest(const double* ordered, const int32_t* numbers, const int32_t* node, const double* split, int64_t count,
             const double* places, int64_t asked, int64_t k, double bound, double* away, int64_t* found) {
  const double infinity = std::numeric_limits<double>::infinity();
  Search<kWidth> search{ordered, split, numbers, node, k};
  for (int64_t one = 0; one < asked; ++one) {
    search.p = places + one * kWidth, search.away = away + one * k, search.found = found + one * k;
    // A point as far as the bound is not within it: no number is lower than -1.
    std::fill(search.away, search.away + k, bound * bound);
    std::fill(search.found, search.found + k, bound < infinity ? -1 : count);
    // Places follow each other: what is near to one is near to the next, and rules out most of the tree at once.
    if (k == 1) search.Offer(search.last);
    search.Visit(0, 0);
    for (int64_t slot = 0; slot < k; ++slot) {
      const bool none = search.found[slot] < 0 || search.found[slot] == count;
      search.away[slot] = none ? infinity : std::sqrt(search.away[slot]);
      if (none) search.found[slot] = count;
    }
  }
}

}  // namespace

// The tree of points [count, width], width 3 to 5: these in its order, ordered [count, width] and numbers [count]; and
// its nodes, for 2 count of which node [., 3] and split [.] have room.
extern "C" void TryonTree(const double* points, int64_t count, int64_t width, double* ordered, int32_t* numbers,
                          int32_t* node, double* split) {
  (width == 3 ? Tree<3> : width == 4 ? Tree<4> : Tree<5>)(points, count, ordered, numbers, node, split);
}

// Distances and numbers [asked, k] of the points nearest to each of places [asked, width]; infinity and `count` where
// fewer than k are within bound [1].
extern "C" void TryonNearest(const double* ordered, const int32_t* numbers, const int32_t* node, const double* split,
                             int64_t count, int64_t width, const double* places, int64_t asked, int64_t k,
                             const double* bound, double* away, int64_t* found) {
  (width == 3 ? Nearest<3> : width == 4 ? Nearest<4> : Nearest<5>)(ordered, numbers, node, split, count, places, asked,
                                                                   k, *bound, away, found);
}
