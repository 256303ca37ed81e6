/// How close the fused update comes to the memory's own speed.
///
///     bench/update [repeats]
///
/// Decentralized AMSGrad on a ring, beside an in-place stream a = a + s c over the same huge pages
/// (the roof: a stream that reads twice what it writes, as the update nearly does), STREAM triad,
/// and the same update as a chain of libtorch calls. The update must move 44 bytes a coordinate and
/// node: it reads x, u, m, v, vhat and g and writes the first five.

#include <malloc.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "side_by_side.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/graph/families.hpp"
#include "starling/method/amsgrad.hpp"
#ifdef STARLING_WITH_TORCH
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#endif

namespace {

using namespace starling;

/// A problem whose gradients cost nothing: what is left of a round is the update.
class NoWork final : public Problem {
 public:
  NoWork(std::size_t nodes, std::size_t dimension) : nodes_(nodes), dimension_(dimension) {}
  std::size_t nodes() const override { return nodes_; }
  std::size_t dimension() const override { return dimension_; }
  void start(std::span<float> x) const override { std::ranges::fill(x, 1.0f); }
  double epochs(Round rounds) const override { return static_cast<double>(rounds); }
  std::string summary() const override { return "none"; }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Nothing>(); }

 private:
  struct Nothing final : Oracle {
    float subgradient(Node, Round round, std::span<const float>, std::span<float> g) override {
      if (round == 1) std::ranges::fill(g, 1e-3f);
      return 0;
    }
    double objective(Node, std::span<const float>, std::span<float>) override { return 0; }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }
  };
  std::size_t nodes_, dimension_;
};

/// Runs `kernel(first, last)` over [0, count) with all threads of the pool.
void split(Pool& pool, std::size_t count, const auto& kernel) {
  const std::size_t parts = pool.threads();
  pool.run(parts, [&](std::size_t, std::size_t part) {
    kernel(count * part / parts / 16 * 16,
           part + 1 == parts ? count : count * (part + 1) / parts / 16 * 16);
  });
}

[[gnu::noinline]] void in_place(float* a, const float* c, std::size_t first, std::size_t last) {
#pragma GCC ivdep
  for (std::size_t i = first; i < last; ++i) a[i] = a[i] + 0.5f * c[i];
}

[[gnu::noinline]] void triad(float* a, const float* b, const float* c, std::size_t first,
                             std::size_t last) {
#pragma GCC ivdep
  for (std::size_t i = first; i < last; ++i) a[i] = b[i] + 0.5f * c[i];
}

#ifdef STARLING_WITH_TORCH
/// The update as a researcher writes it with tensors, one vector a node.
class TensorChain {
 public:
  TensorChain(std::size_t nodes, std::size_t dimension) : nodes_(nodes) {
    const auto vectors = [&](double value) {
      std::vector<at::Tensor> list;
      for (std::size_t i = 0; i < nodes; ++i)
        list.push_back(at::full({static_cast<std::int64_t>(dimension)}, value));
      return list;
    };
    x_ = vectors(1), u_ = vectors(1e-6), m_ = vectors(0), v_ = vectors(0), v_hat_ = vectors(1e-6);
    g_ = vectors(1e-3);
  }

  void round() {
    std::vector<at::Tensor> mixed_x, mixed_u;
    for (std::size_t i = 0; i < nodes_; ++i) {
      mixed_x.push_back(mix(x_, i));
      mixed_u.push_back(mix(u_, i));
    }
    for (std::size_t i = 0; i < nodes_; ++i) {
      m_[i].mul_(0.9).add_(g_[i], 0.1);
      v_[i].mul_(0.999).addcmul_(g_[i], g_[i], 0.001);
      const at::Tensor v_hat = at::maximum(v_hat_[i], v_[i]);
      x_[i] = mixed_x[i].addcdiv_(m_[i], mixed_u[i].clamp_min(1e-6).sqrt_(), -1e-3);
      u_[i] = mixed_u[i].sub_(v_hat_[i]).add_(v_hat);
      v_hat_[i] = v_hat;
    }
  }

 private:
  at::Tensor mix(const std::vector<at::Tensor>& rows, std::size_t i) const {
    const std::size_t before = (i + nodes_ - 1) % nodes_, after = (i + 1) % nodes_;
    return (rows[before] / 3).add_(rows[i], 1.0 / 3).add_(rows[after], 1.0 / 3);
  }
  std::size_t nodes_;
  std::vector<at::Tensor> x_, u_, m_, v_, v_hat_, g_;
};
#endif

void compare(std::size_t nodes, std::size_t dimension, std::size_t threads, int repeats) {
  Pool pool(threads);
  const MixingWeights weights = Uniform{}.make(Ring{}.make(nodes, 0));
  NoWork problem(nodes, dimension);
  const RowUpdateOf<Amsgrad> method;
  Simulation simulation(
      method, problem, weights, [](Round) { return 1e-3; }, pool);

  constexpr std::size_t stream = 48 << 20;  // floats an array: far beyond any cache
  Arena a(stream), b(stream), c(stream);
  std::vector<bench::Work> works{
      {"update", [&] { simulation.advance(); }},
      {"in place",
       [&] {
         split(pool, stream, [&](auto from, auto to) { in_place(a.data(), c.data(), from, to); });
       }},
      {"triad", [&] {
         split(pool, stream,
               [&](auto from, auto to) { triad(a.data(), b.data(), c.data(), from, to); });
       }}};
#ifdef STARLING_WITH_TORCH
  at::set_num_threads(static_cast<int>(threads));
  TensorChain chain(nodes, dimension);
  works.push_back({"libtorch", [&] { chain.round(); }});
#endif

  const std::vector<double> seconds = bench::side_by_side(works, repeats);
  const double moved = 44.0 * static_cast<double>(nodes * dimension);
  const double rate = moved / seconds[0] / 1e9;
  const double roof = 12.0 * stream / seconds[1] / 1e9, triads = 12.0 * stream / seconds[2] / 1e9;
  fmt::print("{:>5} x {:<10} {:>7} {:>9.1f} {:>9.1f} {:>9.1f} {:>8.2f} {:>8.2f}", nodes, dimension,
             threads, rate, roof, triads, rate / roof, rate / triads);
  if (works.size() > 3) fmt::print(" {:>11.1f}", seconds[3] / seconds[0]);
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

#include <malloc.h>
int main(int argc, char** argv) {
  // libtorch's temporaries are recycled: otherwise the system clears new pages for each of them,
  // and the chain is slower several times over for a reason that is not the passes it makes.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 9;
  fmt::print("AMSGrad on a ring: GB/s that must move, beside streams over the same pages\n");
  fmt::print(
      "nodes x dimension  threads    update  in place     triad  of roof of triad  over "
      "libtorch\n");
  for (const std::size_t threads : {1, 2}) {
    compare(5, 11'173'962, threads, repeats);
    compare(16, 2'000'000, threads, repeats);
  }
}
