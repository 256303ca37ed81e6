/// A method of one's own, run on an installed Starling: gradient descent with heavy-ball momentum,
/// on two nodes that disagree about where the minimum is.

#include <cmath>
#include <cstdio>

#include <starling/engine/simulate.hpp>
#include <starling/graph/families.hpp>
#include <starling/problem/quadratic.hpp>

#include "heavy_ball.hpp"

int main() {
  using namespace starling;
  const Graph graph = Complete{}.make(2, 0);
  const MixingWeights weights = Uniform{}.make(graph);
  Quadratic losses;
  losses.dimension = 1;
  losses.centers = {{1.0}, {3.0}};
  losses.curvatures = {{1.0}, {1.0}};
  const auto problem = losses.make(2, 1);

  const RowUpdateOf<HeavyBall> method;
  Pool pool(2);
  Simulation simulation(
      method, *problem, weights, [](Round) { return 1e-3; }, pool);
  for (int k = 0; k < 20000; ++k)
    if (simulation.advance()) return 1;
  const double average = simulation.average()[0];
  std::printf("the average is %.4f\n", average);
  return std::abs(average - 2) < 1e-2 ? 0 : 1;
}
