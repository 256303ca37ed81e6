#include "starling/engine/mpi.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <type_traits>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/engine/mpi_courier.hpp"
#include "starling/engine/mpi_last_words.hpp"
#include "starling/engine/mpi_memory.hpp"
#include "starling/engine/mpi_partners.hpp"
#include "starling/engine/mpi_request.hpp"
#include "starling/engine/mpi_watch.hpp"
#include "starling/engine/rounds.hpp"
#include "starling/engine/silence.hpp"

namespace starling {
namespace {

/// Columns that a thread takes at a time; chunks of messages hold whole blocks.
constexpr std::size_t block = 8192;
static_assert(Courier::chunk % block == 0);

constexpr int row_tag = 2;
constexpr std::size_t longest_message = std::size_t{1} << 28;  ///< floats: MPI counts in int

std::string name_of(const MpiTeam& ranks, int rank) {
  const Node first = ranks.shares().first(rank);
  const std::size_t count = ranks.shares().count(rank);
  const std::string nodes = count == 0   ? "no nodes"
                            : count == 1 ? fmt::format("node {}", first)
                                         : fmt::format("nodes {} to {}", first, first + count - 1);
  return fmt::format("rank {} on {} ({})", rank, ranks.world().host(rank), nodes);
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
            WeightsSequence& weights, StepSize step_size, Pool& pool, const MpiPlan& plan)
      : WithTeam{MpiTeam(world, problem.nodes())},
        Rounds(update, problem, weights, std::move(step_size), pool, ranks, ranks.count()),
        plan_(plan),
        has_fixed_weights_(weights.period() == 1),
        stride_(NodeRows::stride_of(dimension_)),
        shared_(world, 2 * update.exchanged_count() * most_rows() * stride_, !plan.messages_only),
        watch_(world, shared_, plan.timeout),
        last_words_(shared_, names_of(ranks)),
        ghosts_(update.exchanged_count()),
        courier_(plan.timeout) {
    std::vector<RowsView> views;
    for (std::size_t v = 0; v < update.state_count(); ++v)
      views.push_back(v < update.exchanged_count() ? half(v, 0)
                                                   : own_.emplace_back(here_, dimension_).view());
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
    const int owner = ranks.shares().owner(node);
    if (owner == 0) return ranks.is_root() ? state_[variable].row(node) : std::span<const float>{};
    const bool sends = owner == ranks.world().rank();
    if (!sends && !ranks.is_root()) return {};
    if (!sends) received_.resize(dimension_);
    float* data = sends ? state_[variable].row(node - ranks.first()).data() : received_.data();
    for (std::size_t first = 0; first < dimension_; first += longest_message) {
      const auto count = static_cast<int>(std::min(longest_message, dimension_ - first));
      MPI_Request request = MPI_REQUEST_NULL;
      if (sends)
        MPI_Isend(data + first, count, MPI_FLOAT, 0, row_tag, MPI_COMM_WORLD, &request);
      else
        MPI_Irecv(data + first, count, MPI_FLOAT, owner, row_tag, MPI_COMM_WORLD, &request);
      watch_.wait_until([&] { return is_complete(request); });
    }
    return ranks.is_root() ? std::span<const float>(received_) : std::span<const float>{};
  }

  /// Rows of the rank that holds most: every rank's memory is laid out alike.
  std::size_t most_rows() const {
    return (nodes_ + static_cast<std::size_t>(ranks.world().size()) - 1) /
           static_cast<std::size_t>(ranks.world().size());
  }

  /// A rank's rows of an exchanged variable, in one of the two copies.
  float* rows_of(int rank, std::size_t variable, std::size_t half) const {
    return shared_.of(rank) + (2 * variable + half) * most_rows() * stride_;
  }
  RowsView half(std::size_t variable, std::size_t which) const {
    return {rows_of(ranks.world().rank(), variable, which), here_, dimension_, stride_};
  }

  /// What travels is final: neighbours may read it, and what goes to other hosts sets out.
  void announce() override {
    find_partners();
    shared_.announce(++exchanges_);
    courier_.start(parcels(), dimension_);
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
    place_ghosts();
  }

  /// Memory for the rows that come from other hosts, and where each node's rows are.
  void place_ghosts() {
    std::size_t heard = 0;
    for (const Partners::Far& far : partners_.far) heard += far.heard.size();
    slot_of_.assign(nodes_, 0);
    for (std::size_t e = 0; e < ghosts_.size(); ++e)
      while (ghosts_[e].size() < heard) ghosts_[e].emplace_back(stride_);
    std::size_t slot = 0;
    for (const Partners::Far& far : partners_.far)
      for (const Node node : far.heard) slot_of_[node] = slot++;
  }

  std::vector<Parcel> parcels() {
    std::vector<Parcel> list;
    for (const Partners::Far& far : partners_.far)
      for (std::size_t e = 0; e < ghosts_.size(); ++e) {
        Parcel out{far.rank, static_cast<int>(e), true, {}},
            in{far.rank, static_cast<int>(e), false, {}};
        for (const Node node : far.told)
          out.rows.push_back(state_[e].row(node - ranks.first()).data());
        for (const Node node : far.heard) in.rows.push_back(ghost(e, node));
        if (!out.rows.empty()) list.push_back(std::move(out));
        if (!in.rows.empty()) list.push_back(std::move(in));
      }
    return list;
  }

  float* ghost(std::size_t variable, Node node) { return ghosts_[variable][slot_of_[node]].data(); }

  /// Where a node's row of an exchanged variable can be read in this round.
  const float* source(std::size_t variable, Node node) {
    const int owner = ranks.shares().owner(node);
    if (!shared_.reaches(owner)) return ghost(variable, node);
    return rows_of(owner, variable, current_) + (node - ranks.shares().first(owner)) * stride_;
  }

  void update_blocks() override {
    const std::size_t blocks = (dimension_ + block - 1) / block;
    const bool alone = weights_.exchange() == Exchange::nobody;
    if (update_.order() != Order::overlapped) {
      pool_.run(here_, [&](std::size_t, std::size_t index) {
        before_exchange({index, 0, dimension_});
      });
      if (!alone) announce();
    }
    if (!alone) wait_for_partners();
    pool_.run(blocks, [&](std::size_t worker, std::size_t task) {
      const std::size_t first = task * block, count = std::min(block, dimension_ - first);
      if (!alone) courier_.wait_for(first + count);
      update_block(workers_[worker], first, count, alone);
    });
    if (alone) return;
    current_ = 1 - current_;
    for (std::size_t e = 0; e < ghosts_.size(); ++e) state_[e] = half(e, current_);
  }

  /// Where nobody is reached the rows are updated in place. Otherwise a node's own row goes to the
  /// other copy first, because its neighbours still read this one.
  void update_block(Worker& worker, std::size_t first, std::size_t count, bool alone) {
    if (here_ == 0) return;  // such a rank has no partners, and nobody's rows
    const bool averages = weights_.exchange() == Exchange::everybody;
    if (averages) average_columns(worker, first, count);
    for (std::size_t i = 0; i < here_; ++i) {
      Pointers state = state_at(i, first);
      for (std::size_t e = 0; e < ghosts_.size() && !alone; ++e) {
        float* next = half(e, 1 - current_).row(i).data() + first;
        std::memcpy(next, state[e], count * sizeof(float));
        state[e] = next;
      }
      mix_and_update(worker.scratch, {i, first, count}, state,
                     [&](std::size_t e, Node j) -> const float* {
                       return averages ? worker.means[e].data() : source(e, j) + first;
                     });
    }
  }

  void average_columns(Worker& worker, std::size_t first, std::size_t count) {
    for (std::size_t e = 0; e < worker.means.size(); ++e) {
      for (Node j = 0; j < nodes_; ++j) worker.scratch.sources[j] = source(e, j) + first;
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
    return fmt::format(
        "{} {} in round {}", name_of(ranks, silent.rank),
        silent.is_dead ? "died" : fmt::format("has been silent for {} s", plan_.timeout), round());
  }

  /// Every rank goes on until they next agree; the earliest divergence is the one that counts, and
  /// of one round that of the lowest node whose own subgradient went wrong.
  std::optional<Divergence> agree(const std::optional<Suspect>& seen) override {
    if (round() % plan_.agree_every != 0 && round() != plan_.rounds) return std::nullopt;
    courier_.finish();
    struct {
      double order;
      int rank;
    } mine{never, ranks.world().rank()}, first{};
    if (seen) mine.order = static_cast<double>(seen->divergence.round) * 2 + (seen->origin ? 0 : 1);
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(&mine, &first, 1, MPI_DOUBLE_INT, MPI_MINLOC, MPI_COMM_WORLD, &request);
    watch_.wait_until([&] { return is_complete(request); });
    if (first.order == never) return std::nullopt;
    Divergence divergence = seen ? seen->divergence : Divergence{};
    std::array<std::uint64_t, 3> numbers{divergence.round, divergence.node,
                                         divergence.variable.size()};
    MPI_Ibcast(numbers.data(), 3, MPI_UINT64_T, first.rank, MPI_COMM_WORLD, &request);
    watch_.wait_until([&] { return is_complete(request); });
    divergence.round = numbers[0];
    divergence.node = static_cast<Node>(numbers[1]);
    divergence.variable.resize(numbers[2]);
    MPI_Ibcast(divergence.variable.data(), static_cast<int>(numbers[2]), MPI_CHAR, first.rank,
               MPI_COMM_WORLD, &request);
    watch_.wait_until([&] { return is_complete(request); });
    return divergence;
  }

  static constexpr double never = 1e300;

  MpiPlan plan_;
  bool has_fixed_weights_;
  std::size_t stride_;
  SharedMemory shared_;
  Watch watch_;
  LastWords last_words_;
  std::vector<NodeRows> own_;  ///< variables that do not travel
  std::vector<Worker> workers_;
  Partners partners_;
  std::vector<int> waited_for_;
  std::vector<std::vector<Arena>> ghosts_;  ///< of each exchanged variable, a row a slot
  std::vector<std::size_t> slot_of_;
  std::vector<float> received_;
  std::uint64_t exchanges_ = 0;
  std::size_t current_ = 0;  ///< the copy that holds the state
  Courier courier_;          // last: it ends before the rows that it moves do
};

}  // namespace

std::unique_ptr<Engine> make_mpi_engine(const MpiWorld& world, const RowUpdate& update,
                                        Problem& problem, WeightsSequence& weights,
                                        StepSize step_size, Pool& pool, const MpiPlan& plan) {
  return std::make_unique<MpiEngine>(world, update, problem, weights, std::move(step_size), pool,
                                     plan);
}

}  // namespace starling
