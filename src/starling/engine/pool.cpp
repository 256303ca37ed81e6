#include "starling/engine/pool.hpp"

#include <utility>

namespace starling {
namespace {

/// Waits until `value` is no longer `old`. A short spin catches the next phase of a small round
/// (waking a sleeping thread costs more than such a phase); then the thread sleeps, because a
/// spinning one would take the core from whoever has work.
template <class T>
void wait_while(const std::atomic<T>& value, T old) {
  for (int spin = 0; spin < 4000; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Pool::Pool(std::size_t threads) {
  for (std::size_t worker = 1; worker < threads; ++worker)
    workers_.emplace_back([this, worker] { work(worker); });
}

Pool::~Pool() {
  stop_ = true;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  workers_.clear();  // joins, while everything they use is still there
}

void Pool::work(std::size_t worker) {
  std::uint64_t seen = 0;
  while (true) {
    wait_while(generation_, seen);
    seen = generation_.load(std::memory_order_acquire);
    if (stop_) return;
    take_tasks(worker);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

void Pool::take_tasks(std::size_t worker) {
  try {
    if (own_task_) {
      (*task_)(worker, worker);
      return;
    }
    for (std::size_t i = next_.fetch_add(1, std::memory_order_relaxed); i < count_;
         i = next_.fetch_add(1, std::memory_order_relaxed))
      (*task_)(worker, i);
  } catch (...) {
    const std::lock_guard lock(failure_mutex_);
    if (!failure_) failure_ = std::current_exception();
    next_ = count_;
  }
}

void Pool::start(std::size_t count, const Task& task, bool own_task) {
  count_ = count;
  task_ = &task;
  own_task_ = own_task;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(workers_.size(), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  take_tasks(0);
  for (std::size_t left = busy_.load(std::memory_order_acquire); left != 0;
       left = busy_.load(std::memory_order_acquire))
    wait_while(busy_, left);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Pool::run(std::size_t count, const Task& task) {
  if (workers_.empty() || count <= 1) {
    for (std::size_t i = 0; i < count; ++i) task(0, i);
    return;
  }
  start(count, task, false);
}

void Pool::run_on_each(const Task& task) { start(threads(), task, true); }

}  // namespace starling
