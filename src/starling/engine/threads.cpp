#include "starling/engine/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/engine/blocks.hpp"
#include "starling/engine/shared_state.hpp"
#include "starling/engine/snapshots.hpp"
#include "starling/engine/staleness.hpp"

namespace starling {
namespace {

using Clock = std::chrono::steady_clock;

/// An update as its core remembers it.
struct Remembered {
  Round number, sample;
  double seconds;
};

/// What a core writes, on cache lines of its own.
struct alignas(64) CoreRecord {
  Staleness staleness;
  std::atomic<float> loss = std::numeric_limits<float>::quiet_NaN();  ///< of its last minibatch
  std::vector<Remembered> remembered;
  std::vector<Round> seen;  ///< remembered updates x blocks: what had landed when each was read
};

class Threads {
 public:
  Threads(const ThreadsPlan& plan, Problem& problem, const ThreadsObserver& observer)
      : plan_(plan),
        problem_(problem),
        observer_(observer),
        memory_(plan.method, plan.blocks, start_of(problem), plan.access),
        records_(plan.cores) {
    assert(problem.nodes() == 1);
  }

  ThreadsResult run();

 private:
  static std::vector<float> start_of(const Problem& problem) {
    std::vector<float> x(problem.dimension());
    problem.start(x);
    return x;
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  void work(Node core);
  void update_until_told(Node core);
  bool diverges(Node core, float loss);
  void end(std::exception_ptr failure);
  void start(std::vector<std::jthread>& threads);
  void watch(Snapshots& snapshots);
  Metrics look(Snapshots& snapshots);
  std::vector<CoreReport> reports() const;
  Trace trace() const;

  const ThreadsPlan& plan_;
  Problem& problem_;
  const ThreadsObserver& observer_;
  SharedState memory_;
  std::vector<CoreRecord> records_;
  Clock::time_point begin_;

  // Each on a cache line of its own: the cores write the first two all the time.
  alignas(64) std::atomic<Round> begun_ = 0;
  alignas(64) std::atomic<Round> landed_ = 0;
  alignas(64) std::atomic<bool> stop_ = false;

  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  std::size_t running_ = 0;
  std::exception_ptr failure_;
  std::optional<Divergence> divergence_;
};

void Threads::end(std::exception_ptr failure) {
  stop_ = true;
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = failure;
}

void Threads::work(Node core) {
  try {
    update_until_told(core);
  } catch (const std::bad_alloc&) {
    end(std::current_exception());
  } catch (const UserError&) {
    end(std::current_exception());
  } catch (const std::exception& error) {
    end(std::make_exception_ptr(RunError{fmt::format("core {}: {}", core, error.what())}));
  }
  const std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_one();
}

bool Threads::diverges(Node core, float loss) {
  if (std::isfinite(loss)) return false;
  stop_ = true;
  const std::lock_guard lock(mutex_);
  if (!divergence_) divergence_ = Divergence{landed_.load() + 1, core, "the minibatch loss"};
  return true;
}

/// Algorithm 1 of the paper.
void Threads::update_until_told(Node core) {
  const std::unique_ptr<Oracle> oracle = problem_.oracle();
  const std::size_t blocks = plan_.blocks.size();
  const bool owns = is_partitioned(plan_.method);
  const Part part = owns ? plan_.blocks[core] : Part{0, problem_.dimension()};
  CoreRecord& record = records_[core];
  Arena x(problem_.dimension()), g(problem_.dimension());
  const std::span<float> own_x{x.data(), problem_.dimension()}, own_g{g.data(), own_x.size()};
  std::vector<Round> seen(blocks);

  for (Round k = 1; !stop_.load(std::memory_order_relaxed); ++k) {
    // Not left to the thread that evaluates: that takes its time.
    if (observer_.stop && observer_.stop()) {
      stop_ = true;
      break;
    }
    if (begun_.fetch_add(1, std::memory_order_relaxed) >= plan_.updates) break;
    const std::size_t first = core % blocks;
    Round before = 0;
    memory_.read(first, own_x, [&](std::size_t block) {
      if (!plan_.trace && block != first) return;
      seen[block] = landed_.load(std::memory_order_acquire);
      if (block == first) before = seen[block];
    });
    const Round sample = sample_of(core, k, plan_.cores);
    const float loss = oracle->partial_subgradient(0, sample, own_x, part, own_g);
    if (diverges(core, loss)) break;
    record.loss.store(loss, std::memory_order_relaxed);
    const auto step = static_cast<float>(plan_.step_size(core, k));
    Round number = 0;
    memory_.update(first, owns ? 1 : blocks, own_g, step,
                   [&] { number = landed_.fetch_add(1, std::memory_order_acq_rel); });
    record.staleness.count(number - before);
    if (plan_.trace) {
      record.remembered.push_back({number, sample, seconds()});
      record.seen.insert(record.seen.end(), seen.begin(), seen.end());
    }
  }
}

/// Evaluates a snapshot while the cores go on.
Metrics Threads::look(Snapshots& snapshots) {
  Metrics metrics;
  metrics.round = landed_.load(std::memory_order_acquire);
  metrics.seconds = seconds();
  memory_.copy_x(snapshots.x());
  Round stale = 0, updates = 0, most = 0;
  for (const CoreRecord& record : records_) {
    stale += record.staleness.sum();
    updates += record.staleness.updates();
    most = std::max(most, record.staleness.most());
  }
  metrics.minibatch_loss = mean_loss(plan_.cores, [this](std::size_t core) {
    return records_[core].loss.load(std::memory_order_relaxed);
  });
  if (updates > 0) {
    metrics.staleness_mean = static_cast<double>(stale) / static_cast<double>(updates);
    metrics.staleness_most = static_cast<double>(most);
  }
  snapshots.evaluate(plan_.measures, metrics);
  return metrics;
}

/// Takes snapshots until no core runs any more.
void Threads::watch(Snapshots& snapshots) {
  double next_time = plan_.seconds;
  Round next_round = plan_.every;
  std::unique_lock lock(mutex_);
  while (running_ > 0) {
    changed_.wait_for(lock, std::chrono::milliseconds(1));
    if (running_ == 0) break;
    lock.unlock();
    if (observer_.stop && observer_.stop()) stop_ = true;
    const Round landed = landed_.load(std::memory_order_relaxed);
    if (observer_.advanced) observer_.advanced(landed);
    const bool by_time = plan_.seconds > 0 && seconds() >= next_time;
    const bool by_round = plan_.every > 0 && landed >= next_round && landed < plan_.updates;
    if ((by_time || by_round) && !stop_) {
      observer_.evaluated(look(snapshots));
      if (by_time) next_time = seconds() + plan_.seconds;
      while (plan_.every > 0 && next_round <= landed) next_round += plan_.every;
    }
    lock.lock();
  }
}

std::vector<CoreReport> Threads::reports() const {
  std::vector<CoreReport> reports;
  for (const CoreRecord& record : records_) {
    const Staleness& counted = record.staleness;
    CoreReport& report = reports.emplace_back();
    report.updates = counted.updates();
    report.staleness_most = counted.most();
    report.staleness.resize(std::min<Round>(report.staleness_most, Staleness::kinds) + 1);
    for (std::size_t stale = 0; stale < report.staleness.size(); ++stale)
      report.staleness[stale] = counted.updates_with(stale);
  }
  return reports;
}

/// The cores' memories, in the order in which the updates landed.
Trace Threads::trace() const {
  const std::size_t blocks = plan_.blocks.size(), count = landed_.load();
  Trace trace{blocks, std::vector<Trace::Update>(count), std::vector<Round>(count * blocks)};
  for (Node core = 0; core < plan_.cores; ++core) {
    const CoreRecord& record = records_[core];
    for (std::size_t n = 0; n < record.remembered.size(); ++n) {
      const auto& [number, sample, when] = record.remembered[n];
      trace.updates[number] = {core, sample, when};
      for (std::size_t b = 0; b < blocks; ++b)
        trace.delays[number * blocks + b] = number - record.seen[n * blocks + b];
    }
  }
  return trace;
}

void Threads::start(std::vector<std::jthread>& threads) {
  for (Node core = 0; core < plan_.cores; ++core) try {
      threads.emplace_back([this, core] { work(core); });
    } catch (const std::system_error& error) {
      const std::lock_guard lock(mutex_);
      running_ -= plan_.cores - core;  // those that never began
      throw RunError{
          fmt::format("core {} of {} cannot be started: {}", core, plan_.cores, error.what())};
    }
}

ThreadsResult Threads::run() {
  Snapshots snapshots(problem_);
  begin_ = Clock::now();
  observer_.evaluated(look(snapshots));
  if (!(observer_.stop && observer_.stop())) {
    std::vector<std::jthread> threads;
    running_ = plan_.cores;
    begin_ = Clock::now();
    try {
      start(threads);
      watch(snapshots);
    } catch (...) {  // what the observer throws, or a thread that cannot be had
      end(std::current_exception());
    }
  }
  if (failure_) std::rethrow_exception(failure_);
  ThreadsResult result{.divergence = divergence_, .cores = reports()};
  result.stopped = stop_ && !divergence_;
  result.x.resize(problem_.dimension());
  result.u.resize(problem_.dimension());
  memory_.copy_x(result.x);
  memory_.copy_momentum(result.u);
  // A last update may have gone too far, and no minibatch has looked at it since.
  if (!result.divergence && !is_finite(result.x))
    result.divergence = Divergence{landed_.load(), 0, "x"};
  if (observer_.advanced) observer_.advanced(landed_.load());
  if (!stop_ && !result.divergence) observer_.evaluated(look(snapshots));
  if (plan_.trace) result.trace = trace();
  return result;
}

}  // namespace

ThreadsResult run_threads(const ThreadsPlan& plan, Problem& problem,
                          const ThreadsObserver& observer) {
  return Threads(plan, problem, observer).run();
}

}  // namespace starling
