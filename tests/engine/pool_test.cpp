/// The team of threads: every task once, exceptions, many small runs.
#include <atomic>
#include <cstddef>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "starling/engine/pool.hpp"

namespace starling {
namespace {

TEST(PoolTest, RunsEveryTaskOnce) {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::size_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(count + 1);
      std::atomic<bool> all_workers_known = true;
      pool.run(count, [&](std::size_t worker, std::size_t task) {
        if (worker >= threads || task >= count) {
          all_workers_known = false;
          return;
        }
        ++runs[task];
      });
      EXPECT_TRUE(all_workers_known.load());
      for (std::size_t task = 0; task < count; ++task) EXPECT_EQ(runs[task].load(), 1);
    }
  }
}

TEST(PoolTest, WorkerZeroIsTheCallingThread) {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    std::vector<std::thread::id> ids(threads);
    pool.run_on_each(
        [&](std::size_t worker, std::size_t) { ids[worker] = std::this_thread::get_id(); });
    EXPECT_EQ(ids[0], std::this_thread::get_id());
  }
}

TEST(PoolTest, RunOnEachUsesTheSameDistinctThreadsEveryTime) {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    std::vector<std::thread::id> first(threads), second(threads);
    std::vector<std::atomic<int>> runs(threads);
    const auto note = [&](std::vector<std::thread::id>& ids) {
      pool.run_on_each([&](std::size_t worker, std::size_t task) {
        ids[worker] = std::this_thread::get_id();
        runs[worker] += worker == task ? 1 : 100;
      });
    };
    note(first);
    pool.run(100, [](std::size_t, std::size_t) {});
    note(second);
    EXPECT_EQ(std::set<std::thread::id>(first.begin(), first.end()).size(), threads);
    EXPECT_EQ(first, second);
    for (std::size_t worker = 0; worker < threads; ++worker) EXPECT_EQ(runs[worker].load(), 2);
  }
}

/// What a run in which task `bad` of 50 throws ends with.
std::string message_of_failure(Pool& pool, std::size_t bad) {
  try {
    pool.run(50, [&](std::size_t, std::size_t task) {
      if (task == bad) throw std::runtime_error("task " + std::to_string(task));
    });
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(PoolTest, ExceptionOfATaskComesBackToTheCaller) {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    for (const std::size_t bad : {0, 23, 49})
      EXPECT_EQ(message_of_failure(pool, bad), "task " + std::to_string(bad));
  }
}

TEST(PoolTest, ExceptionOfAWorkerComesBackToTheCaller) {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    for (std::size_t bad = 0; bad < threads; ++bad)
      EXPECT_THROW(pool.run_on_each([&](std::size_t worker, std::size_t) {
        if (worker == bad) throw std::runtime_error("no oracle");
      }),
                   std::runtime_error);
  }
}

TEST(PoolTest, OneOfManyExceptionsComesBack) {
  Pool pool(4);
  EXPECT_THROW(pool.run(100, [](std::size_t, std::size_t) { throw std::runtime_error("all"); }),
               std::runtime_error);
  EXPECT_THROW(pool.run_on_each([](std::size_t, std::size_t) { throw std::runtime_error("all"); }),
               std::runtime_error);
}

TEST(PoolTest, WorksAgainAfterAnException) {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    for (int repetition = 0; repetition < 20; ++repetition) {
      EXPECT_EQ(message_of_failure(pool, 5), "task 5");
      std::vector<int> runs(50);
      pool.run(runs.size(), [&](std::size_t, std::size_t task) { ++runs[task]; });
      EXPECT_EQ(runs, std::vector<int>(50, 1));
    }
  }
}

TEST(PoolTest, ManyTinyRunsLoseNothing) {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    std::vector<long> sums(3);
    for (long run = 0; run < 3000; ++run) {
      pool.run(sums.size(), [&](std::size_t, std::size_t task) { sums[task] += run; });
      // What the tasks wrote is seen here without further ado.
      ASSERT_EQ(std::accumulate(sums.begin(), sums.end(), 0L), 3 * run * (run + 1) / 2);
    }
  }
}

TEST(PoolTest, IsStartedAndEndedWithoutWork) {
  for (int repetition = 0; repetition < 50; ++repetition) {
    Pool pool(4);
    ASSERT_EQ(pool.threads(), 4u);
  }
}

}  // namespace
}  // namespace starling
