// The C++ S2 library's part of bench/s2.py: positions and ranges from files, times to stdout.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <vector>

#include <s2/s2cell_id.h>
#include <s2/s2latlng.h>

template <typename T>
std::vector<T> read(const char* path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::vector<T> values(static_cast<size_t>(in.tellg()) / sizeof(T));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(values.data()), values.size() * sizeof(T));
  return values;
}

double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

int main(int, char** arguments) {
  struct Position { double lat, lng; };
  struct Range { uint64_t first, last, row; };
  const auto positions = read<Position>(arguments[1]);
  const auto ranges = read<Range>(arguments[2]);
  std::vector<uint64_t> ids(positions.size());
  std::vector<int64_t> classes(positions.size());
  const double start = now();
  for (size_t i = 0; i < positions.size(); ++i) {
    ids[i] = S2CellId(S2LatLng::FromDegrees(positions[i].lat, positions[i].lng)).id();
  }
  const double converted = now();
  for (size_t i = 0; i < ids.size(); ++i) {
    auto after = std::upper_bound(ranges.begin(), ranges.end(), ids[i],
                                  [](uint64_t id, const Range& range) { return id < range.first; });
    const bool inside = after != ranges.begin() && ids[i] <= (after - 1)->last;
    classes[i] = inside ? static_cast<int64_t>((after - 1)->row) : -1;
  }
  const double looked_up = now();
  uint64_t id_sum = 0, class_sum = 0;
  for (uint64_t id : ids) id_sum = id_sum * 31 + id + 1;
  for (int64_t row : classes) class_sum = class_sum * 31 + static_cast<uint64_t>(row + 1);
  std::printf("%.6f %.6f %llu %llu\n", converted - start, looked_up - converted,
              static_cast<unsigned long long>(id_sum), static_cast<unsigned long long>(class_sum));
}
