/// How close the fused update comes to the memory's own speed.
///
///     bench/update [repeats]
///
/// Decentralized AMSGrad on a ring, beside an in-place stream a = a + s c over the same huge pages
/// (the roof: a stream that reads twice what it writes, as the update nearly does), STREAM triad,
/// and the same update as a chain of libtorch calls. The update must move 44 bytes a coordinate and
/// node: it reads x, u, m, v, vhat and g and writes the first five. Then every method of the
/// catalogue, beside the same streams.

#include <malloc.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "side_by_side.hpp"
#include "starling/engine/simulate.hpp"
#include "starling/experiment/catalogue.hpp"
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

/// The two streams, over arrays far beyond any cache.
class Streams {
 public:
  static constexpr std::size_t floats = 48 << 20;
  static constexpr double bytes = 12.0 * floats;

  void run_in_place(Pool& pool) const {
    split(pool, floats, [&](auto from, auto to) { in_place(a_.data(), c_.data(), from, to); });
  }
  void run_triad(Pool& pool) const {
    split(pool, floats,
          [&](auto from, auto to) { triad(a_.data(), b_.data(), c_.data(), from, to); });
  }

 private:
  mutable Arena a_{floats};
  Arena b_{floats}, c_{floats};
};

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

  const Streams streams;
  std::vector<bench::Work> works{{"update", [&] { simulation.advance(); }},
                                 {"in place", [&] { streams.run_in_place(pool); }},
                                 {"triad", [&] { streams.run_triad(pool); }}};
#ifdef STARLING_WITH_TORCH
  at::set_num_threads(static_cast<int>(threads));
  TensorChain chain(nodes, dimension);
  works.push_back({"libtorch", [&] { chain.round(); }});
#endif

  const std::vector<double> seconds = bench::side_by_side(works, repeats);
  const double moved = 44.0 * static_cast<double>(nodes * dimension);
  const double rate = moved / seconds[0] / 1e9;
  const double roof = Streams::bytes / seconds[1] / 1e9;
  const double triads = Streams::bytes / seconds[2] / 1e9;
  fmt::print("{:>5} x {:<10} {:>7} {:>9.1f} {:>9.1f} {:>9.1f} {:>8.2f} {:>8.2f}", nodes, dimension,
             threads, rate, roof, triads, rate / roof, rate / triads);
  if (works.size() > 3) fmt::print(" {:>11.1f}", seconds[3] / seconds[0]);
  fmt::print("\n");
  std::fflush(stdout);
}

/// Bytes that a round of a method must move for each coordinate and node: what it reads, its
/// subgradient included, and what it writes. Tracking samples between its two halves, which is two
/// passes over y; a norm is a pass of its own. What only a block's second half needs is in cache.
double bytes_of(const RowUpdate& update) {
  const auto kept = static_cast<double>(update.state_count());
  double floats = 2 * kept + 1;
  if (update.order() == Order::combine_first)
    floats += static_cast<double>(2 * (update.exchanged_count() - 1));  // y again; x is done
  if (update.normed()) floats += 1;
  if (update.sampled() != update.x()) floats -= 1;  // the point to sample at is written only
  if (update.push_sum()) floats -= 1;               // and so is x = u / w
  return 4 * floats;
}

std::unique_ptr<RowUpdate> method_called(std::string_view name) {
  const Table defaults;
  OptionReader reader(defaults, "", "");
  Table resolved;
  return find_entry(methods(), name, "name", reader).read(reader, resolved)();
}

/// Every method of the catalogue beside the streams.
void compare_methods(std::size_t threads, int repeats) {
  constexpr std::size_t nodes = 8, dimension = 4'000'000;
  Pool pool(threads);
  NoWork problem(nodes, dimension);
  const Streams streams;
  for (const auto& entry : methods()) {
    const std::unique_ptr<RowUpdate> update = method_called(entry.name);
    Simulation simulation(
        *update, problem, Uniform{}.make(Ring{}.make(nodes, 0)), [](Round) { return 1e-3; }, pool);
    const std::vector<double> seconds =
        bench::side_by_side({{"update", [&] { simulation.advance(); }},
                             {"in place", [&] { streams.run_in_place(pool); }},
                             {"triad", [&] { streams.run_triad(pool); }}},
                            repeats);
    const double bytes = bytes_of(*update);
    const double rate = bytes * nodes * dimension / seconds[0] / 1e9;
    const double roof = Streams::bytes / seconds[1] / 1e9,
                 triad = Streams::bytes / seconds[2] / 1e9;
    fmt::print("{:<22} {:>7} {:>6.0f} {:>9.1f} {:>9.1f} {:>9.1f} {:>8.2f} {:>8.2f}\n", entry.name,
               threads, bytes, rate, roof, triad, rate / roof, rate / triad);
    std::fflush(stdout);
  }
}

}  // namespace

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
  fmt::print("\nEvery method, 8 x 4000000 on a ring: GB/s that must move\n");
  fmt::print(
      "method                 threads  bytes    update  in place     triad  of roof of triad\n");
  for (const std::size_t threads : {1, 2}) compare_methods(threads, std::min(repeats, 5));
}
