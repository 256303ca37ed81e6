/// What the engine adds to the gradients, and what the loop a researcher writes takes.
///
///     bench/simulate [A9A]
///
/// A9A is LIBSVM's a9a file, plain or gzip; without it the second comparison is left out. The
/// Python programs beside this file are run where python3 has torch and numpy.

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "python.hpp"
#include "side_by_side.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/graph/families.hpp"
#include "starling/method/amsgrad.hpp"
#include "starling/method/dgd.hpp"
#include "starling/problem/logistic.hpp"
#include "starling/problem/penalty.hpp"
#ifdef STARLING_WITH_TORCH
#include "starling/problem/network.hpp"
#endif

namespace {

using namespace starling;

#ifdef STARLING_WITH_TORCH
/// The cnn ring: rounds of the engine beside the same gradients alone, on the same threads.
void compare_cnn(std::size_t threads) {
  constexpr std::size_t nodes = 5;
  constexpr int rounds = 20, repeats = 7;
  Pool pool(threads);
  const MixingWeights weights = Uniform{}.make(Ring{}.make(nodes, 0));
  NeuralNetwork options;
  options.partition = [](auto labels, int classes, auto count, auto seed) {
    return ByLabels{}.make(labels, classes, count, seed);
  };
  const auto problem = options.make(nodes, 1);
  const RowUpdateOf<Amsgrad> method;
  Simulation simulation(
      method, *problem, weights, [](Round) { return 1e-4; }, pool);

  std::vector<std::unique_ptr<Oracle>> oracles(threads);
  pool.run_on_each([&](std::size_t w, std::size_t) { oracles[w] = problem->oracle(); });
  NodeRows x(nodes, problem->dimension()), g(nodes, problem->dimension());
  for (std::size_t i = 0; i < nodes; ++i) problem->start(x.row(i));
  Round round = 0;
  const auto bare = [&] {
    for (int k = 0; k < rounds; ++k) {
      ++round;
      pool.run(nodes, [&](std::size_t worker, std::size_t node) {
        oracles[worker]->subgradient(static_cast<Node>(node), round, x.row(node), g.row(node));
      });
    }
  };
  const auto whole = [&] {
    for (int k = 0; k < rounds; ++k) simulation.advance();
  };
  const auto seconds = bench::side_by_side({{"whole", whole}, {"bare", bare}}, repeats);
  fmt::print("cnn, 5 nodes on a ring, batch 64, AMSGrad, {} threads\n", threads);
  fmt::print("  a round {:.2f} ms, its gradients alone {:.2f} ms: ratio {:.3f}\n",
             1e3 * seconds[0] / rounds, 1e3 * seconds[1] / rounds, seconds[0] / seconds[1]);
  const std::string loop = fmt::format("ring_torch.py --rounds 60 --threads {}", threads);
  for (const auto& [manner, environment] :
       {std::pair{"as it comes", ""}, std::pair{"with its memory kept", bench::keeping_memory}})
    if (const auto python = bench::python_number("seconds_per_round", loop, environment))
      fmt::print("  the PyTorch loop {} {:.2f} ms a round: {:.1f} times as long\n", manner,
                 1e3 * *python, *python * rounds / seconds[0]);
}
#endif

void compare_a9a(const std::string& path, std::size_t threads) {
  constexpr std::size_t nodes = 16;
  constexpr int rounds = 2000, repeats = 7;
  Pool pool(threads);
  const MixingWeights weights = Uniform{}.make(Ring{}.make(nodes, 0));
  Logistic options;
  options.path = path;
  options.sampling = "replacement";
  options.partition = [](auto labels, int classes, auto count, auto seed) {
    return Iid{}.make(labels, classes, count, seed);
  };
  const auto problem = with_penalties(options.make(nodes, 1), 1e-4, 0);
  const RowUpdateOf<Dgd> method;
  Simulation simulation(
      method, *problem, weights, [](Round) { return 0.1; }, pool);
  const auto whole = [&] {
    for (int k = 0; k < rounds; ++k) simulation.advance();
  };
  const double seconds = bench::side_by_side({{"whole", whole}}, repeats)[0] / rounds;
  fmt::print("a9a logistic regression, 16 nodes on a ring, batch 32, DGD, {} threads\n", threads);
  fmt::print("  a round {:.2f} us\n", 1e6 * seconds);
  if (const auto python = bench::python_number(
          "seconds_per_round", fmt::format("a9a_numpy.py --path {} --rounds 3000", path)))
    fmt::print("  vectorised numpy {:.0f} us a round: {:.1f} times as long\n", 1e6 * *python,
               *python / seconds);
}

}  // namespace

int main(int argc, char** argv) {
#ifdef STARLING_WITH_TORCH
  compare_cnn(1);
  compare_cnn(2);
#endif
  if (argc < 2) {
    fmt::print("a9a: left out, no file given (bench/simulate A9A)\n");
    return 0;
  }
  compare_a9a(argv[1], 1);
  compare_a9a(argv[1], 2);
}
