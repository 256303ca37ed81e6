#include "starling/data/batches.hpp"

#include <algorithm>
#include <set>
#include <thread>

#include "test_support.hpp"

namespace starling {
namespace {

using Samples = std::vector<std::uint32_t>;

/// Three nodes with 10, 7 and 1 samples, not beginning with 0.
const Partition three{{5, 6, 7, 8, 9, 20, 21, 22, 23, 24}, {0, 1, 2, 3, 4, 30, 31}, {40}};

Samples copy(std::span<const std::uint32_t> samples) { return {samples.begin(), samples.end()}; }

/// Batches and a reader of them.
class Reading {
 public:
  Reading(Partition partition, std::size_t batch, bool reshuffle, std::uint64_t seed)
      : batches_(std::move(partition), batch, reshuffle, seed), reader_(batches_) {}
  Reading(const Reading&) = delete;

  auto batch(Node node, Round round) { return reader_.batch(node, round); }
  double epochs(Round rounds) const { return batches_.epochs(rounds); }

 private:
  Batches batches_;
  BatchReader reader_;
};

/// The samples of rounds first ... last, one after the other.
template <class Reader>
Samples rounds_of(Reader& batches, Node node, Round first, Round last) {
  Samples all;
  for (Round round = first; round <= last; ++round) {
    const auto batch = batches.batch(node, round);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

Samples sorted(Samples samples) {
  std::sort(samples.begin(), samples.end());
  return samples;
}

TEST(BatchesTest, AnEpochUsesEachSampleOnce) {
  for (const std::size_t size : {1u, 2u, 3u, 4u, 5u, 9u, 10u, 11u}) {
    Reading batches(three, size, true, 1);
    for (Node node = 0; node < 3; ++node) {
      const Round length = (three[node].size() + size - 1) / size;
      for (Round epoch = 0; epoch < 3; ++epoch)
        EXPECT_EQ(sorted(rounds_of(batches, node, epoch * length + 1, (epoch + 1) * length)),
                  three[node])
            << "batch " << size << ", node " << node;
    }
  }
}

TEST(BatchesTest, TheLastBatchOfAnEpochIsSmaller) {
  Reading batches(three, 4, true, 1);
  const std::size_t expected[] = {4, 4, 2, 4, 4, 2};
  for (Round round = 1; round <= 6; ++round)
    EXPECT_EQ(batches.batch(0, round).size(), expected[round - 1]) << round;
}

TEST(BatchesTest, EpochsSeedsAndNodesDifferInOrder) {
  const Samples many = [] {
    Samples samples(100);
    for (std::uint32_t i = 0; i < 100; ++i) samples[i] = i;
    return samples;
  }();
  const Partition same{many, many};
  Reading batches(same, 10, true, 1), other(same, 10, true, 2);
  std::set<Samples> orders{many};
  for (Round epoch = 0; epoch < 5; ++epoch) {
    orders.insert(rounds_of(batches, 0, 10 * epoch + 1, 10 * epoch + 10));
    orders.insert(rounds_of(batches, 1, 10 * epoch + 1, 10 * epoch + 10));
    orders.insert(rounds_of(other, 0, 10 * epoch + 1, 10 * epoch + 10));
  }
  EXPECT_EQ(orders.size(), 16u);
}

TEST(BatchesTest, ALargeBatchIsAllSamplesInOrder) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{11}, ~std::size_t{0}}) {
    Reading batches(three, size, true, 1);
    for (Round round = 0; round < 4; ++round) EXPECT_EQ(copy(batches.batch(0, round)), three[0]);
  }
}

TEST(BatchesTest, WithReplacementDrawsFromTheNode) {
  Reading batches(three, 50, false, 1);
  for (Node node = 0; node < 3; ++node) {
    const Samples first = copy(batches.batch(node, 1)), second = copy(batches.batch(node, 2));
    EXPECT_EQ(first.size(), 50u);
    EXPECT_EQ(first != second, three[node].size() > 1);
    for (const std::uint32_t sample : first)
      EXPECT_EQ(std::count(three[node].begin(), three[node].end(), sample), 1) << sample;
  }
}

TEST(BatchesTest, AnyOrderOfRoundsGivesTheSameBatches) {
  for (const bool reshuffle : {true, false}) {
    Reading sequential(three, 3, reshuffle, 9), random(three, 3, reshuffle, 9);
    std::vector<Samples> expected;
    for (Round round = 0; round < 50; ++round) expected.push_back(copy(sequential.batch(0, round)));
    for (Round i = 0; i < 200; ++i) {
      const Round round = i * 37 % 50;
      EXPECT_EQ(copy(random.batch(0, round)), expected[round]) << round;
      random.batch(1, i);  // another node's cache must not matter
    }
  }
}

TEST(BatchesTest, RoundZeroBelongsToNoEpoch) {
  Reading batches(three, 4, true, 1);
  EXPECT_EQ(batches.batch(0, 0).size(), 4u);
  EXPECT_NE(copy(batches.batch(0, 0)), copy(batches.batch(0, 1)));
}

TEST(BatchesTest, ThreadsWithReadersOfTheirOwnMayAskForTheSameNode) {
  for (const bool reshuffle : {true, false}) {
    const Batches batches(three, 2, reshuffle, 4);
    Reading alone(three, 2, reshuffle, 4);
    std::vector<Samples> got(2);
    {
      std::vector<std::jthread> threads;
      for (Samples& samples : got)
        threads.emplace_back([&] {
          BatchReader reader(batches);
          samples = rounds_of(reader, 0, 1, 300);
        });
    }
    for (const Samples& samples : got) EXPECT_EQ(samples, rounds_of(alone, 0, 1, 300));
  }
}

TEST(BatchesTest, EpochsIsTheCountedSum) {
  for (const bool reshuffle : {true, false}) {
    for (const std::size_t size : {1u, 3u, 5u, 7u, 10u, 64u}) {
      Reading batches(three, size, reshuffle, 1);
      std::size_t used = 0;
      EXPECT_EQ(batches.epochs(0), 0.0);
      for (Round round = 1; round <= 40; ++round) {
        for (Node node = 0; node < 3; ++node) used += batches.batch(node, round).size();
        EXPECT_DOUBLE_EQ(batches.epochs(round), static_cast<double>(used) / 18)
            << "batch " << size << ", round " << round;
      }
    }
  }
}

/// Pearson's statistic of the first sample of 10,000 draws from 10, nine degrees of freedom.
double chi_square(bool reshuffle) {
  Reading batches(three, 1, reshuffle, 11);
  std::vector<double> counts(10);
  for (Round i = 0; i < 10000; ++i) {
    const std::uint32_t sample = batches.batch(0, 10 * i + 1)[0];
    const auto at = std::find(three[0].begin(), three[0].end(), sample);
    counts[static_cast<std::size_t>(at - three[0].begin())] += 1;
  }
  double sum = 0;
  for (const double count : counts) sum += (count - 1000) * (count - 1000) / 1000;
  return sum;
}

TEST(BatchesTest, EverySampleIsEquallyLikelyToBeFirst) {
  for (const bool reshuffle : {true, false}) {
    EXPECT_LT(chi_square(reshuffle), 33.7);  // one in 10,000 would be above
    EXPECT_GT(chi_square(reshuffle), 0.5);   // and 3 in 100,000 below: too even is not random
  }
}

TEST(BatchesTest, KnowsItsPartition) {
  const Batches batches(three, 4, true, 1);
  EXPECT_EQ(batches.partition(), three);
  EXPECT_EQ(batches.samples(1), 7u);
}

}  // namespace
}  // namespace starling
