#include "starling/data/partition.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "test_support.hpp"

namespace starling {
namespace {

using Labels = std::vector<std::uint8_t>;

/// Labels 0 ... classes - 1 in turn.
Labels labels_in_turn(std::size_t samples, std::size_t classes) {
  Labels labels(samples);
  for (std::size_t i = 0; i < samples; ++i) labels[i] = static_cast<std::uint8_t>(i % classes);
  return labels;
}

std::vector<std::size_t> sizes_of(const Partition& partition) {
  std::vector<std::size_t> sizes;
  for (const auto& samples : partition) sizes.push_back(samples.size());
  return sizes;
}

std::size_t held(const Partition& partition) {
  const auto sizes = sizes_of(partition);
  return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

std::vector<std::size_t> label_counts(const std::vector<std::uint32_t>& samples,
                                      const Labels& labels, std::size_t classes) {
  std::vector<std::size_t> counts(classes);
  for (const std::uint32_t sample : samples) ++counts[labels[sample]];
  return counts;
}

/// Ascending, none twice, none out of range, no node without.
void expect_disjoint(const Partition& partition, std::size_t nodes, std::size_t samples) {
  ASSERT_EQ(partition.size(), nodes);
  std::vector<int> used(samples);
  for (const auto& own : partition) {
    EXPECT_FALSE(own.empty());
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    for (const std::uint32_t sample : own) {
      ASSERT_LT(sample, samples);
      EXPECT_EQ(++used[sample], 1) << "sample " << sample;
    }
  }
}

struct Rule {
  std::string name;
  bool covers;  // every sample is used, whatever the number of nodes
  std::function<Partition(const Labels&, int, std::size_t, std::uint64_t)> make;
};

template <class T>
Rule rule(std::string name, bool covers, T object) {
  return {std::move(name), covers,
          [object](const Labels& labels, int classes, std::size_t nodes, std::uint64_t seed) {
            return object.make(labels, classes, nodes, seed);
          }};
}

std::vector<Rule> rules() {
  return {rule("iid", true, Iid{}),
          rule("labels 1", false, ByLabels{1}),
          rule("labels 2", false, ByLabels{}),
          rule("labels 10", true, ByLabels{10}),
          rule("dirichlet 1e-300", true, Dirichlet{1e-300}),
          rule("dirichlet 0.01", true, Dirichlet{0.01}),
          rule("dirichlet 0.5", true, Dirichlet{}),
          rule("dirichlet 1e6", true, Dirichlet{1e6}),
          rule("sizes", true, Sizes{})};
}

TEST(PartitionTest, EveryRuleIsDisjointAndDeterministic) {
  const Labels labels = labels_in_turn(997, 10);
  for (const Rule& rule : rules()) {
    for (const std::size_t nodes : {1u, 2u, 5u, 10u, 16u, 40u}) {
      for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}}) {
        SCOPED_TRACE(::testing::Message() << rule.name << ", " << nodes << " nodes");
        const Partition partition = rule.make(labels, 10, nodes, seed);
        expect_disjoint(partition, nodes, labels.size());
        if (rule.covers) {
          EXPECT_EQ(held(partition), labels.size());
        }
        EXPECT_EQ(partition, rule.make(labels, 10, nodes, seed));
        // With few nodes, "labels" has nothing to draw: each label has one holder.
        if (nodes > 10) {
          EXPECT_NE(partition, rule.make(labels, 10, nodes, seed + 1));
        }
      }
    }
  }
}

TEST(PartitionTest, EveryRuleNeedsASampleForEachNode) {
  const Labels labels = labels_in_turn(10, 2);
  const std::vector<Rule> few{rule("iid", true, Iid{}), rule("labels", true, ByLabels{1}),
                              rule("dirichlet", true, Dirichlet{0.1}),
                              rule("sizes", true, Sizes{})};
  for (const Rule& rule : few) {
    SCOPED_TRACE(rule.name);
    expect_disjoint(rule.make(labels, 2, 10, 1), 10, 10);
    EXPECT_TRUE(says(user_error_of([&] { rule.make(labels, 2, 11, 1); }),
                     "problem.partition: 11 nodes for 10 samples (allowed: at most 10)"));
  }
}

TEST(PartitionTest, IidSizesDifferByAtMostOne) {
  for (const std::size_t nodes : {1u, 3u, 7u, 64u}) {
    const auto sizes = sizes_of(Iid{}.make(labels_in_turn(1000, 10), 10, nodes, 3));
    const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
    EXPECT_LE(*most - *least, 1u) << nodes;
  }
}

TEST(PartitionTest, IidMixesLabels) {
  Labels labels(10000);  // sorted by label, so that a split without shuffling would show
  std::fill(labels.begin() + 5000, labels.end(), std::uint8_t{1});
  for (const auto& samples : Iid{}.make(labels, 2, 4, 5)) {
    const auto ones = static_cast<double>(label_counts(samples, labels, 2)[1]);
    EXPECT_NEAR(ones, 1250, 5 * 22);  // five standard deviations of a draw without replacement
  }
}

TEST(PartitionTest, ByLabelsGivesTheLabelsOfThePaper) {
  const Labels labels = labels_in_turn(1000, 10);
  const Partition five = ByLabels{}.make(labels, 10, 5, 1);
  for (std::size_t node = 0; node < 5; ++node) {
    std::vector<std::size_t> expected(10);
    expected[2 * node] = expected[2 * node + 1] = 100;
    EXPECT_EQ(label_counts(five[node], labels, 10), expected) << node;
  }
  const Partition ten = ByLabels{}.make(labels, 10, 10, 1);  // node 5 begins again with label 0
  EXPECT_EQ(label_counts(ten[5], labels, 10),
            (std::vector<std::size_t>{50, 50, 0, 0, 0, 0, 0, 0, 0, 0}));
  const Partition wrapped = ByLabels{3}.make(labels, 10, 4, 1);  // node 3: labels 9, 0, 1
  EXPECT_EQ(label_counts(wrapped[3], labels, 10),
            (std::vector<std::size_t>{50, 50, 0, 0, 0, 0, 0, 0, 0, 100}));
}

TEST(PartitionTest, ByLabelsLeavesOutWhatNobodyHolds) {
  const Labels labels = labels_in_turn(1000, 10);
  const Partition partition = ByLabels{}.make(labels, 10, 3, 1);
  EXPECT_EQ(held(partition), 600u);
  EXPECT_EQ(label_counts(partition[2], labels, 10)[5], 100u);
}

TEST(PartitionTest, ByLabelsRefusesWhatCannotBe) {
  const Labels labels = labels_in_turn(100, 10);
  EXPECT_TRUE(says(user_error_of([&] { ByLabels{11}.make(labels, 10, 2, 1); }),
                   "problem.partition.labels = 11: more labels a node than there are (allowed: 1 "
                   "... 10)"));
  const Labels rare{0, 0, 0, 0, 1};
  EXPECT_TRUE(says(user_error_of([&] { ByLabels{1}.make(rare, 2, 4, 1); }),
                   "problem.partition: node 1 gets no sample of its labels"));
}

/// The mean over nodes of the share of their most common label.
double skew(const Partition& partition, const Labels& labels) {
  double sum = 0;
  for (const auto& samples : partition) {
    const auto counts = label_counts(samples, labels, 10);
    sum += static_cast<double>(*std::max_element(counts.begin(), counts.end())) /
           static_cast<double>(samples.size());
  }
  return sum / static_cast<double>(partition.size());
}

TEST(PartitionTest, DirichletIsMoreSkewedTheSmallerAlpha) {
  const Labels labels = labels_in_turn(10000, 10);
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const double small = skew(Dirichlet{0.05}.make(labels, 10, 10, seed), labels);
    const double middle = skew(Dirichlet{1}.make(labels, 10, 10, seed), labels);
    const double large = skew(Dirichlet{1e6}.make(labels, 10, 10, seed), labels);
    EXPECT_GT(small, middle + 0.1);
    EXPECT_GT(middle, large + 0.05);
    EXPECT_NEAR(large, 0.1, 0.005);
  }
}

TEST(PartitionTest, DirichletHasItsMeanAndVariance) {
  // With two nodes a share has the distribution Beta(alpha, alpha), of variance 1 / (8 alpha + 4).
  const Labels labels(1000, 0);
  for (const double alpha : {0.2, 0.5, 1.0, 3.0}) {
    const int draws = 2000;
    double sum = 0, squares = 0;
    for (int seed = 0; seed < draws; ++seed) {
      const auto partition = Dirichlet{alpha}.make(labels, 1, 2, static_cast<std::uint64_t>(seed));
      const double share = static_cast<double>(partition[0].size()) / 1000;
      sum += share;
      squares += (share - 0.5) * (share - 0.5);
    }
    const double variance = 1 / (8 * alpha + 4);
    EXPECT_NEAR(sum / draws, 0.5, 5 * std::sqrt(variance / draws)) << alpha;
    EXPECT_NEAR(squares / draws / variance, 1, 0.13) << alpha;
  }
}

TEST(PartitionTest, DirichletRefusesAlphasOutOfRange) {
  const Labels labels = labels_in_turn(10, 2);
  for (const double alpha : {0.0, -1.0, 1e7, static_cast<double>(INFINITY)})
    EXPECT_TRUE(says(user_error_of([&] { Dirichlet{alpha}.make(labels, 2, 2, 1); }),
                     "must be above 0, at most 1000000"));
}

TEST(PartitionTest, SizesAreInProportion) {
  const Labels labels = labels_in_turn(100, 10);
  using List = std::vector<std::size_t>;
  EXPECT_EQ(sizes_of(Sizes{}.make(labels, 10, 4, 1)), (List{10, 20, 30, 40}));
  EXPECT_EQ(sizes_of(Sizes{{1, 3}}.make(labels, 10, 2, 1)), (List{25, 75}));
  EXPECT_EQ(sizes_of(Sizes{{2, 2, 2}}.make(labels, 10, 3, 1)), (List{34, 33, 33}));
  EXPECT_EQ(sizes_of(Sizes{{1, 1.04, 1}}.make(labels, 10, 3, 1)), (List{33, 34, 33}));
  EXPECT_EQ(sizes_of(Sizes{{1e-9, 1, 1e-9}}.make(labels, 10, 3, 1)), (List{1, 98, 1}));
}

TEST(PartitionTest, SizesRefusesWhatCannotBe) {
  const Labels labels = labels_in_turn(100, 10);
  const auto error = [&](const std::vector<double>& sizes) {
    return user_error_of([&] { Sizes{sizes}.make(labels, 10, 2, 1); });
  };
  EXPECT_TRUE(says(error({1, 2, 3}),
                   "problem.partition.sizes: 3 amounts for 2 nodes (allowed: one per node)"));
  EXPECT_TRUE(says(error({1, 0}), "problem.partition.sizes: 0 (allowed: positive amounts"));
  EXPECT_TRUE(says(error({1, -2}), "problem.partition.sizes: -2 (allowed: positive amounts"));
  EXPECT_TRUE(says(error({1e308, 1e308}), "(allowed: positive amounts with a finite sum)"));
}

TEST(PartitionSummaryTest, IsAnAlignedTable) {
  const Labels labels{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 0, 0, 0, 0};
  const Partition partition{{0, 3, 6, 9, 10, 11, 12, 13, 14, 1}, {4}};
  EXPECT_EQ(summary(partition, labels, 3),
            "Samples of each node, and how many of each label:\n"
            "  node  samples  0  1  2\n"
            "     0       10  9  1  0\n"
            "     1        1  0  1  0\n"
            "nobody        4  0  1  3\n");
}

TEST(PartitionSummaryTest, SumsUpBeyond32Nodes) {
  const Labels labels = labels_in_turn(41, 2);
  const std::string text = summary(Iid{}.make(labels, 2, 40, 1), labels, 2);
  EXPECT_NE(text.find("\n    31        1"), text.npos) << text;
  EXPECT_EQ(text.find("\n    32 "), text.npos) << text;
  EXPECT_NE(text.find("\n... and 8 more nodes (samples of a node: min 1, mean 1.0, max 2)\n"),
            text.npos)
      << text;
  EXPECT_EQ(text.find("nobody"), text.npos) << text;
}

}  // namespace
}  // namespace starling
