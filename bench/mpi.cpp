/// What an exchange between ranks costs, beside the loop that a user of MPI writes.
///
///     timeout 120 mpirun -n 4 build/release/bench/mpi [repeats]
///
/// One node a rank on a ring, x as long as ResNet-18's. First a round of DGD in the mpi engine,
/// beside the plain loop: MPI_Irecv and MPI_Isend of the whole x, MPI_Waitall, one pass that
/// averages (over huge pages, without a subgradient to read). Then how much of an exchange by
/// messages is hidden behind subgradients that sleep, as if computed elsewhere, or spin for so much
/// processor time: 1 - (round - subgradients) / exchange. All of the slowest rank, medians.
///
/// More ranks than cores need mpirun --oversubscribe, and OMPI_MCA_mpi_yield_when_idle=1.

#include <mpi.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "side_by_side.hpp"
#include "starling/engine/arena.hpp"
#include "starling/engine/mpi.hpp"
#include "starling/graph/families.hpp"
#include "starling/method/dgd.hpp"

namespace {

using namespace starling;

constexpr std::size_t floats = 11'173'962;
constexpr int rounds = 4;  ///< timed together, one after the other as in a run

using Work = std::function<void()>;

/// A problem whose subgradients touch no memory: they do `work`, which may change between rounds.
class StatedTime final : public Problem {
 public:
  StatedTime(int nodes, const Work& work) : nodes_(static_cast<std::size_t>(nodes)), work_(work) {}
  std::size_t nodes() const override { return nodes_; }
  std::size_t dimension() const override { return floats; }
  void start(std::span<float> x) const override { std::ranges::fill(x, 1.0f); }
  double epochs(Round passed) const override { return static_cast<double>(passed); }
  std::string summary() const override { return "none"; }
  std::unique_ptr<Oracle> oracle() override { return std::make_unique<Working>(work_); }

 private:
  struct Working final : Oracle {
    explicit Working(const Work& given) : work(given) {}
    float subgradient(Node, Round round, std::span<const float>, std::span<float> g) override {
      if (round == 1) std::ranges::fill(g, 1e-3f);
      work();
      return 0;
    }
    double objective(Node, std::span<const float>, std::span<float>) override { return 0; }
    std::optional<double> accuracy(std::span<const float>) override { return std::nullopt; }
    const Work& work;
  };
  std::size_t nodes_;
  const Work& work_;
};

[[gnu::noinline]] void average(float* x, const float* a) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < floats; ++i) x[i] = 0.5f * (x[i] + a[i]);
}

[[gnu::noinline]] void average(float* x, const float* a, const float* b) {
#pragma GCC ivdep
  for (std::size_t i = 0; i < floats; ++i) x[i] = (1.0f / 3) * (x[i] + a[i] + b[i]);
}

/// The loop that a user of MPI writes. A neighbour's rank is its node.
class PlainLoop {
 public:
  explicit PlainLoop(std::span<const Node> neighbours)
      : neighbours_(neighbours.begin(), neighbours.end()) {
    for (std::size_t n = 0; n < neighbours_.size(); ++n) received_.emplace_back(floats);
    std::fill_n(x_.data(), floats, 1.0f);
  }

  void round() {
    constexpr int count = static_cast<int>(floats), tag = 0;
    std::vector<MPI_Request> requests;
    for (std::size_t n = 0; n < neighbours_.size(); ++n)
      MPI_Irecv(received_[n].data(), count, MPI_FLOAT, neighbours_[n], tag, MPI_COMM_WORLD,
                &requests.emplace_back());
    for (const int rank : neighbours_)
      MPI_Isend(x_.data(), count, MPI_FLOAT, rank, tag, MPI_COMM_WORLD, &requests.emplace_back());
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
    if (received_.size() == 1)
      average(x_.data(), received_[0].data());
    else
      average(x_.data(), received_[0].data(), received_[1].data());
  }

 private:
  std::vector<int> neighbours_;
  Arena x_{floats};
  std::vector<Arena> received_;
};

/// As `bench::side_by_side`, all ranks together: the median seconds a round of the slowest rank.
std::vector<double> slowest_rank(const std::vector<bench::Work>& works, int repeats) {
  std::vector<std::vector<double>> samples(works.size());
  for (int repeat = 0; repeat <= repeats; ++repeat)
    for (std::size_t w = 0; w < works.size(); ++w) {
      MPI_Barrier(MPI_COMM_WORLD);
      double seconds = bench::seconds_of([&] {
        for (int k = 0; k < rounds; ++k) works[w].run();
      });
      MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
      if (repeat > 0) samples[w].push_back(seconds / rounds);
    }
  std::vector<double> medians;
  for (const auto& sample : samples) medians.push_back(bench::median(sample));
  return medians;
}

void compare_exchange(const MpiWorld& world, const Graph& ring, Engine& windows, Engine& messages,
                      int repeats) {
  PlainLoop plain(ring.hears(static_cast<Node>(world.rank())));
  const std::vector<bench::Work> works{{"plain loop", [&] { plain.round(); }},
                                       {"messages", [&] { messages.advance(); }},
                                       {"windows", [&] { windows.advance(); }}};
  const std::vector<double> seconds = slowest_rank(works, repeats);
  if (world.rank() != 0) return;
  const double bytes = static_cast<double>(2 * ring.edges() * floats * sizeof(float));
  fmt::print("{:>2} ranks    ms a round  GB/s in all  over plain\n", world.size());
  for (std::size_t w = 0; w < works.size(); ++w)
    fmt::print("{:<10} {:>12.2f} {:>12.2f} {:>11.2f}\n", works[w].name, 1e3 * seconds[w],
               bytes / seconds[w] / 1e9, seconds[0] / seconds[w]);
}

/// Computes for so much processor time of this thread.
void spin(double seconds) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double end = now() + seconds;
  while (now() < end) continue;
}

/// The exchange alone is a round whose subgradients do nothing. It includes mixing, which cannot be
/// hidden and takes about as long as a round with windows. `work` is what subgradients do.
void measure_overlap(const MpiWorld& world, Work& work, Engine& windows, Engine& messages,
                     const std::string& name, const Work& compute, int repeats) {
  const auto advance = [&](Engine& engine, const Work& subgradient) {
    work = subgradient;
    engine.advance();
  };
  const Work nothing = [] {};
  const std::vector<double> s = slowest_rank({{"round", [&] { advance(messages, compute); }},
                                              {"subgradients", compute},
                                              {"exchange", [&] { advance(messages, nothing); }},
                                              {"windows", [&] { advance(windows, nothing); }}},
                                             repeats);
  if (world.rank() != 0) return;
  fmt::print("{:<16} {:>8.2f} {:>13.2f} {:>9.2f} {:>8.2f} {:>7.2f}\n", name, 1e3 * s[0], 1e3 * s[1],
             1e3 * s[2], 1e3 * s[3], 1 - (s[0] - s[1]) / s[2]);
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  const MpiWorld world;
  if (world.size() < 2) {
    fmt::print(stderr, "bench/mpi: 1 rank: it takes 2 or more (mpirun -n 4 bench/mpi)\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // what is done is seen, whatever comes later
  Work work = [] {};
  StatedTime problem(world.size(), work);
  const Graph ring = Ring{}.make(problem.nodes(), 0);
  FixedWeights weights(Uniform{}.make(ring));
  const RowUpdateOf<Dgd> method;
  Pool pool(1);
  // Ranks agree after what is timed together, so no thread of an engine is inside MPI then.
  const auto engine = [&](bool messages_only) {
    return make_mpi_engine(world, method, problem, weights, [](Round) { return 1e-3; }, pool,
                           {.messages_only = messages_only, .agree_every = rounds});
  };
  const std::unique_ptr<Engine> windows = engine(false), messages = engine(true);

  compare_exchange(world, ring, *windows, *messages, repeats);
  if (world.rank() == 0)
    fmt::print("\nms a round          round  subgradients  exchange  windows  hidden\n");
  const auto overlap = [&](const std::string& name, const Work& compute) {
    measure_overlap(world, work, *windows, *messages, name, compute, std::min(repeats, 5));
  };
  for (const int ms : {25, 100}) {
    overlap(fmt::format("{} ms sleeping", ms),
            [ms] { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); });
    overlap(fmt::format("{} ms spinning", ms), [ms] { spin(1e-3 * ms); });
  }
}
