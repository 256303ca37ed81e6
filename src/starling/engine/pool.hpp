/// One fixed team of threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace starling {

/// A team of `threads` workers; worker 0 is the calling thread. Which worker does what never
/// changes a result: tasks write to places of their own.
class Pool {
 public:
  explicit Pool(std::size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;

  std::size_t threads() const { return workers_.size() + 1; }

  /// A reference to a callable (worker, task): no allocation, unlike std::function.
  class Task {
   public:
    template <class F>
    Task(const F& f)  // NOLINT: implicit, a lambda is passed where a Task is wanted
        : object_(&f), call_([](const void* object, std::size_t worker, std::size_t task) {
            (*static_cast<const F*>(object))(worker, task);
          }) {}
    void operator()(std::size_t worker, std::size_t task) const { call_(object_, worker, task); }

   private:
    const void* object_;
    void (*call_)(const void*, std::size_t, std::size_t);
  };

  /// Runs tasks 0 ... count-1, each once, by whoever is free; returns when all are done. The first
  /// exception of a task is thrown here again.
  void run(std::size_t count, const Task& task);

  /// Runs `task(worker, worker)` once on every worker.
  void run_on_each(const Task& task);

 private:
  void work(std::size_t worker);
  void take_tasks(std::size_t worker);
  void start(std::size_t count, const Task& task, bool own_task);

  std::vector<std::jthread> workers_;
  // Each on a cache line of its own: they are written by different threads at the same time.
  alignas(64) std::atomic<std::uint64_t> generation_ = 0;  ///< changes when there is work
  alignas(64) std::atomic<std::size_t> busy_ = 0;          ///< workers not yet done with it
  alignas(64) std::atomic<std::size_t> next_ = 0;
  alignas(64) std::size_t count_ = 0;
  bool own_task_ = false;
  const Task* task_ = nullptr;
  bool stop_ = false;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

}  // namespace starling
