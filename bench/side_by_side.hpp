/// Times several pieces of work side by side in one program, so that what else the machine does
/// falls on all of them alike; ratios between them can be trusted, seconds cannot.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Work {
  std::string name;
  std::function<void()> run;
};

inline double seconds_of(const std::function<void()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Runs every work once to warm up, then `repeats` times in turn; the median seconds of each.
inline std::vector<double> side_by_side(const std::vector<Work>& works, int repeats) {
  for (const Work& work : works) work.run();
  std::vector<std::vector<double>> samples(works.size());
  for (int repeat = 0; repeat < repeats; ++repeat)
    for (std::size_t w = 0; w < works.size(); ++w) samples[w].push_back(seconds_of(works[w].run));
  std::vector<double> medians;
  for (const auto& sample : samples) medians.push_back(median(sample));
  return medians;
}

}  // namespace bench
