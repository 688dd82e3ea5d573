// Colours of edges, as `coloured` of simulation/stitch.py gives them.

#include <cstdint>
#include <vector>

// The lowest colour [count] of every edge [count, 2], in their order, that no earlier edge at its ends has; of 63 the
// last is given for lack of a free one.
extern "C" void TryonColours(const int32_t* edges, int64_t count, int64_t vertices, int64_t* colours) {
  std::vector<uint64_t> taken(vertices);
  for (int64_t edge = 0; edge < count; ++edge) {
    uint64_t &one = taken[edges[2 * edge]], &other = taken[edges[2 * edge + 1]];
    int64_t colour = 0;
    while (colour < 62 && ((one | other) >> colour & 1)) ++colour;
    one |= uint64_t{1} << colour;
    other |= uint64_t{1} << colour;
    colours[edge] = colour;
  }
}
