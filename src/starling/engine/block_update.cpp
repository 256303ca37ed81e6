#include "starling/engine/block_update.hpp"

#include "starling/base/versions.hpp"

namespace starling {
namespace {

inline void with_momentum(BlockRule rule, const float* g, float step, float* x, float* u,
                          std::size_t count) {
#pragma GCC ivdep
  for (std::size_t k = 0; k < count; ++k) {
    BlockRule::State s{x[k], u[k]};
    rule.adapt(s, g[k], step);
    x[k] = s.x;
    u[k] = s.u;
  }
}

inline void without_momentum(const float* g, float step, float* x, std::size_t count) {
#pragma GCC ivdep
  for (std::size_t k = 0; k < count; ++k) {
    BlockRule::State s{x[k], 0};
    BlockRule{}.adapt(s, g[k], step);
    x[k] = s.x;
  }
}

}  // namespace

void update_floats(BlockRule rule, const float* g, float step, float* x, float* u,
                   std::size_t count) {
  static const auto widest = Versions<&with_momentum>::widest();
  widest(rule, g, step, x, u, count);
}

void update_floats(const float* g, float step, float* x, std::size_t count) {
  static const auto widest = Versions<&without_momentum>::widest();
  widest(g, step, x, count);
}

}  // namespace starling
