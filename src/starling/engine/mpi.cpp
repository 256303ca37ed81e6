#include "starling/engine/mpi.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/engine/mpi_agree.hpp"
#include "starling/engine/mpi_courier.hpp"
#include "starling/engine/mpi_last_words.hpp"
#include "starling/engine/mpi_memory.hpp"
#include "starling/engine/mpi_partners.hpp"
#include "starling/engine/mpi_rows.hpp"
#include "starling/engine/mpi_team.hpp"
#include "starling/engine/mpi_watch.hpp"
#include "starling/engine/rounds.hpp"
#include "starling/engine/silence.hpp"

namespace starling {
namespace {

/// Columns that a thread takes at a time; chunks of messages hold whole blocks.
constexpr std::size_t block = 8192;
static_assert(Courier::chunk % block == 0);

std::string name_of(const MpiTeam& ranks, int rank) {
  return fmt::format("rank {} on {} ({})", rank, ranks.world().host(rank),
                     to_text(ranks.placement().nodes_of(rank)));
}

std::vector<std::string> names_of(const MpiTeam& ranks) {
  std::vector<std::string> names;
  for (int rank = 0; rank < ranks.world().size(); ++rank) names.push_back(name_of(ranks, rank));
  return names;
}

/// A base, so that it is there before the other one needs it.
struct WithTeam {
  MpiTeam ranks;
};

class MpiEngine final : private WithTeam, public Rounds {
 public:
  MpiEngine(const MpiWorld& world, const RowUpdate& update, Problem& problem,
            WeightsSequence& weights, StepSize step_size, Pool& pool, const MpiPlan& plan,
            const Placement& placement)
      : WithTeam{MpiTeam(world, placement)},
        Rounds(update, problem, weights, std::move(step_size), pool, ranks,
               std::vector<Node>(ranks.own().begin(), ranks.own().end())),
        timeout_(plan.timeout),
        agree_every_(plan.agree_every),
        last_round_(plan.rounds),
        has_fixed_weights_(weights.period() == 1),
        shared_(world,
                ExchangedRows::floats_of(ranks.placement(), update.exchanged_count(), dimension_),
                !plan.messages_only),
        watch_(world, shared_, plan.timeout),
        last_words_(shared_, names_of(ranks)),
        exchanged_(ranks, shared_, update.exchanged_count(), dimension_),
        courier_(plan.timeout) {
    std::vector<RowsView> views;
    for (std::size_t v = 0; v < update.state_count(); ++v)
      views.push_back(v < update.exchanged_count()
                          ? exchanged_.current(v)
                          : unexchanged_.emplace_back(here_, dimension_).view());
    ranks.watch_with(watch_);
    for (std::size_t w = 0; w < pool.threads(); ++w) {
      Worker& worker = workers_.emplace_back(Worker{{}, Scratch(update, nodes_)});
      if (update.averages_exactly())
        for (std::size_t e = 0; e < update.exchanged_count(); ++e) worker.means.emplace_back(block);
    }
    start(std::move(views));
  }

  std::optional<Divergence> advance() override {
    last_words_.set_round(round() + 1);
    return watched([&] { return Rounds::advance(); });
  }

  Metrics evaluate(const Measures& measures) override {
    return watched([&] {
      courier_.finish();  // MPI is called by one thread at a time
      return Rounds::evaluate(measures);
    });
  }

  std::vector<float> average() const override {
    return watched([&] {
      courier_.finish();
      return Rounds::average();
    });
  }

  std::span<const float> row(std::size_t variable, Node node) override {
    return watched([&] {
      courier_.finish();
      return row_at_root(variable, node);
    });
  }

 private:
  struct Worker {
    std::vector<Arena> means;
    Scratch scratch;
  };

  /// What `work` gives; a rank that is missing becomes an error that names it.
  template <class Work>
  std::invoke_result_t<Work> watched(const Work& work) const {
    try {
      return work();
    } catch (const SilentRank& silent) {
      last_words_.leave_it_to_us();
      if (!shared_.knows(silent.rank) || shared_.claim(silent.rank))
        throw RunError{complaint(silent)};
      // Another rank of this host tells of it: leave it the time to do so.
      std::this_thread::sleep_for(std::chrono::seconds(2));
      throw RunError{""};
    }
  }

  std::span<const float> row_at_root(std::size_t variable, Node node) {
    const int owner = ranks.placement().owner(node);
    const bool is_here = owner == ranks.world().rank();
    if (!is_here && !ranks.is_root()) return {};
    if (!is_here) received_.resize(dimension_);
    const std::span<float> row =
        is_here ? state_[variable].row(ranks.placement().index(node)) : std::span(received_);
    if (owner != 0) ranks.bring_to_root(owner, row);
    return ranks.is_root() ? row : std::span<float>{};
  }

  /// What travels is final: neighbours may read it, and what goes to other hosts sets out.
  void announce() override {
    find_partners();
    shared_.announce(++exchanges_);
    courier_.start(exchanged_.parcels(partners_.far), dimension_);
  }

  /// Whom this rank exchanges rows with in this round. Ranks that were partners in the round before
  /// may still be reading what this round overwrites, so they are waited for as well.
  void find_partners() {
    const bool everybody = weights_.exchange() == Exchange::everybody;
    if (has_fixed_weights_ && exchanges_ > 0) {
      waited_for_ = partners_.near;
      return;
    }
    const std::vector<int> before = std::move(partners_.near);
    partners_ = partners_of(ranks, weights_, update_, everybody,
                            [&](int rank) { return shared_.reaches(rank); });
    waited_for_ = before;
    waited_for_.insert(waited_for_.end(), partners_.near.begin(), partners_.near.end());
    std::ranges::sort(waited_for_);
    waited_for_.erase(std::ranges::unique(waited_for_).begin(), waited_for_.end());
    exchanged_.make_room(partners_.far);
  }

  void update_blocks() override {
    const std::size_t tasks = (dimension_ + block - 1) / block;
    const bool alone = weights_.exchange() == Exchange::nobody;
    if (update_.order() != Order::overlapped) {
      pool_.run(here_, [&](std::size_t, std::size_t index) {
        before_exchange({index, 0, dimension_});
      });
      if (!alone) announce();
    }
    if (!alone) wait_for_partners();
    pool_.run(tasks, [&](std::size_t worker, std::size_t task) {
      const std::size_t first = task * block, count = std::min(block, dimension_ - first);
      if (!alone) courier_.wait_for(first + count);
      update_block(workers_[worker], first, count, alone);
    });
    if (alone) return;
    exchanged_.flip();
    for (std::size_t e = 0; e < update_.exchanged_count(); ++e) state_[e] = exchanged_.current(e);
  }

  /// Where nobody is reached the rows are updated in place. Otherwise a node's own row goes to the
  /// other copy first, because its neighbours still read this one.
  void update_block(Worker& worker, std::size_t first, std::size_t count, bool alone) {
    if (here_ == 0) return;  // such a rank has no partners, and nobody's rows
    const bool averages = weights_.exchange() == Exchange::everybody;
    if (averages) average_columns(worker, first, count);
    for (std::size_t i = 0; i < here_; ++i) {
      Pointers state = state_at(i, first);
      for (std::size_t e = 0; e < update_.exchanged_count() && !alone; ++e) {
        float* next = exchanged_.next(e).row(i).data() + first;
        std::memcpy(next, state[e], count * sizeof(float));
        state[e] = next;
      }
      mix_and_update(worker.scratch, {i, first, count}, state,
                     [&](std::size_t e, Node j) -> const float* {
                       return averages ? worker.means[e].data() : exchanged_.source(e, j) + first;
                     });
    }
  }

  void average_columns(Worker& worker, std::size_t first, std::size_t count) {
    for (std::size_t e = 0; e < worker.means.size(); ++e) {
      for (Node j = 0; j < nodes_; ++j) worker.scratch.sources[j] = exchanged_.source(e, j) + first;
      starling::average(worker.scratch.sources.data(), nodes_, worker.means[e].data(), count);
    }
  }

  void wait_for_partners() {
    for (const int rank : waited_for_)
      watch_.wait_until([&] {
        if (shared_.announced_by(rank) >= exchanges_) return true;
        // What this rank has sent may still need MPI to get on with it, and nobody else calls MPI.
        int found = 0;
        if (courier_.is_idle())
          MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
        return false;
      });
  }

  std::string complaint(const SilentRank& silent) const {
    return fmt::format("{} {} in round {}", name_of(ranks, silent.rank),
                       silent.is_dead ? "died" : fmt::format("has been silent for {} s", timeout_),
                       round());
  }

  /// Every rank goes on until they next agree.
  std::optional<Divergence> agree(const std::optional<Suspect>& seen) override {
    if (round() % agree_every_ != 0 && round() != last_round_) return std::nullopt;
    courier_.finish();
    const auto own = seen ? std::optional(seen->divergence) : std::nullopt;
    return earliest_of_all(own, seen && seen->origin, ranks.world(), watch_);
  }

  double timeout_;
  Round agree_every_, last_round_;
  bool has_fixed_weights_;
  SharedMemory shared_;
  Watch watch_;
  LastWords last_words_;
  ExchangedRows exchanged_;
  std::vector<NodeRows> unexchanged_;  ///< one a variable that does not travel
  std::vector<Worker> workers_;
  Partners partners_;
  std::vector<int> waited_for_;
  std::vector<float> received_;  ///< a row of another rank, at the root
  std::uint64_t exchanges_ = 0;
  Courier courier_;  // last: it ends before the rows that it moves do
};

}  // namespace

std::unique_ptr<Engine> make_mpi_engine(const MpiWorld& world, const RowUpdate& update,
                                        Problem& problem, WeightsSequence& weights,
                                        StepSize step_size, Pool& pool, const MpiPlan& plan) {
  const Placement placement = plan.placement.value_or(blocks(problem.nodes(), world.size()));
  if (placement.nodes() != problem.nodes() || placement.ranks() != world.size())
    throw std::invalid_argument("the placement is not one of these nodes on these ranks");
  return std::make_unique<MpiEngine>(world, update, problem, weights, std::move(step_size), pool,
                                     plan, placement);
}

}  // namespace starling
