/// A round allocates nothing. Replaces operator new of the whole program: one executable can hold
/// only one file that does so.
#include <gtest/gtest.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "starling/engine/simulate.hpp"
#include "starling/graph/changing.hpp"
#include "starling/graph/families.hpp"
#include "starling/graph/lossy.hpp"
#include "starling/graph/weights.hpp"
#include "starling/method/amsgrad.hpp"
#include "starling/method/dadam.hpp"
#include "starling/method/dgd.hpp"
#include "starling/method/dsgd_atc.hpp"
#include "starling/method/push_pull.hpp"
#include "starling/method/sgp.hpp"
#include "starling/problem/quadratic.hpp"

namespace {

std::atomic<bool> is_counting = false;
std::atomic<std::size_t> allocations = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  if (is_counting) ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

// Not inlined: the compiler would compare what it sees inside new with what it sees inside delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new[](std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace starling {
namespace {

/// What `action` allocates, on all threads.
template <class Action>
std::size_t allocations_of(const Action& action) {
  allocations = 0;
  is_counting = true;
  action();
  is_counting = false;
  return allocations;
}

/// f_i(x) = ||x - i||^2 / 2, from an oracle that keeps nothing.
class BareProblem final : public Problem {
 public:
  std::size_t nodes() const override { return 6; }
  std::size_t dimension() const override { return 3000; }
  void start(std::span<float> x) const override {
    for (float& value : x) value = 1;
  }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Bare>(); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "bare"; }

 private:
  class Bare final : public Oracle {
   public:
    float subgradient(Node node, Round, std::span<const float> x, std::span<float> g) override {
      return static_cast<float>(objective(node, x, g));
    }
    double objective(Node node, std::span<const float> x, std::span<float> g) override {
      double squares = 0;
      for (std::size_t k = 0; k < x.size(); ++k) {
        const float difference = x[k] - static_cast<float>(node);
        squares += double{difference} * double{difference};
        if (!g.empty()) g[k] = difference;
      }
      return squares / 2;
    }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }
  };
};

template <class M>
void expect_no_allocation(Problem& problem) {
  const RowUpdateOf<M> update;
  const MixingWeights weights = Metropolis{}.make(Ring{}.make(problem.nodes(), 0));
  Pool pool(2);
  Simulation simulation(
      update, problem, weights, [](Round) { return 0.01; }, pool);
  bool diverged = false;
  const std::size_t count = allocations_of([&] {
    for (int round = 0; round < 10; ++round)
      diverged = simulation.advance().has_value() || diverged;
  });
  EXPECT_EQ(count, 0u);
  EXPECT_FALSE(diverged);
  EXPECT_EQ(simulation.round(), 10u);
}

TEST(AllocationTest, CountingCountsOnEveryThread) {
  Pool pool(2);
  const std::size_t count = allocations_of([&] {
    pool.run_on_each([](std::size_t, std::size_t) { ::operator delete(::operator new(100)); });
  });
  EXPECT_EQ(count, 2u);
}

TEST(AllocationTest, RoundsAllocateNothing) {
  BareProblem problem;
  expect_no_allocation<Dgd>(problem);
  expect_no_allocation<DsgdAtc>(problem);
  expect_no_allocation<Amsgrad>(problem);
  expect_no_allocation<Dadam>(problem);
}

/// Rounds 3 to 22: of what changes, the largest may come first or second.
void expect_no_allocation_once_warm(const RowUpdate& update, WeightsSequence& weights) {
  BareProblem problem;
  Pool pool(2);
  Simulation simulation(
      update, problem, weights, [](Round) { return 0.01; }, pool);
  for (int round = 0; round < 2; ++round) simulation.advance();
  const std::size_t count = allocations_of([&] {
    for (int round = 0; round < 20; ++round) simulation.advance();
  });
  EXPECT_EQ(count, 0u);
}

TEST(AllocationTest, RoundsOverChangingAndLossyLinksAllocateNothing) {
  const Graph graph = Complete{}.make(6, 0);
  ChangingWeights changing(graph, RandomEdges{}.make(graph, 1), Shares::metropolis);
  expect_no_allocation_once_warm(RowUpdateOf<Dgd>{}, changing);
  LossyWeights lossy(std::make_unique<FixedWeights>(Uniform{}.make(graph)), 0.5, 1);
  expect_no_allocation_once_warm(RowUpdateOf<Sgp>{}, lossy);
  expect_no_allocation_once_warm(RowUpdateOf<PushPull>{}, lossy);
}

TEST(AllocationTest, RoundsOfExactAveragesAndWithoutAnExchangeAllocateNothing) {
  FixedWeights weights(Metropolis{}.make(Ring{}.make(6, 0)));
  RowUpdateOf<LocalSgd> update(LocalSgd{{}, 3});
  expect_no_allocation_once_warm(update, weights);
  update.average_exactly();
  expect_no_allocation_once_warm(update, weights);
}

TEST(AllocationTest, RoundsOnGivenAndRandomQuadraticsAllocateNothing) {
  for (const bool rotated : {false, true}) {
    const auto random = Quadratic{.dimension = 200, .rotated = rotated}.make(6, 1);
    expect_no_allocation<Dgd>(*random);
    expect_no_allocation<Amsgrad>(*random);
  }
  const std::vector<std::vector<double>> centers(6, {1, 2}), matrices(6, {2, 1, 1, 2});
  const auto given = Quadratic{.dimension = 2, .centers = centers, .matrices = matrices}.make(6, 1);
  expect_no_allocation<Dgd>(*given);
}

}  // namespace
}  // namespace starling

#else

TEST(AllocationTest, RoundsAllocateNothing) {
  GTEST_SKIP() << "sanitizers bring an operator new of their own";
}

#endif
