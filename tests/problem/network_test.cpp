/// Networks: gradients, oracles in threads, learning. Sees no tensor, as everybody else.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "image_files.hpp"
#include "network_support.hpp"
#include "starling/base/random.hpp"
#include "starling/data/partition.hpp"
#include "starling/problem/network.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

constexpr std::size_t cnn_dimension = 37514, mlp_dimension = 203530;

/// Noise with a bright square whose place tells the label.
void write_images(const TempFolder& folder, const std::string& name, std::uint32_t count,
                  std::uint32_t side, std::uint64_t seed) {
  std::string pixels;
  Random random(seed, Purpose::problem);
  for (std::uint32_t image = 0; image < count; ++image) {
    const std::uint32_t label = image % 10;
    const std::uint32_t top = label / 5 * 14 + 4, left = label % 5 * 5 + 1;
    for (std::uint32_t r = 0; r < side; ++r)
      for (std::uint32_t c = 0; c < side; ++c) {
        const bool bright = r >= top && r < top + 5 && c >= left && c < left + 4;
        pixels += static_cast<char>(random.below(100) + (bright ? 150 : 0));
      }
  }
  write_idx(folder, name, side, side, pixels, counting_labels(count));
}

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() {
    write_images(folder_, "train", 200, 28, 1);
    write_images(folder_, "t10k", 60, 28, 2);
  }

  NeuralNetwork options(const std::string& model) const { return network_on(folder_, model); }

  const TempFolder folder_;
};

TEST_F(NetworkTest, DimensionsAreThoseOfTheArchitectures) {
  EXPECT_EQ(options("cnn").make(2, 1)->dimension(), cnn_dimension);
  EXPECT_EQ(options("mlp").make(2, 1)->dimension(), mlp_dimension);
  EXPECT_EQ(options("cnn").make(3, 1)->nodes(), 3u);
}

/// The change of node 0's objective along `direction` is what `g` says, whose length the direction
/// takes out. What counts are the points that floats can tell apart, not the ones asked for.
void expect_slope(Oracle& oracle, const std::vector<float>& x, const std::vector<float>& g,
                  const std::vector<double>& direction, const std::string& name) {
  const double length =
      std::sqrt(std::inner_product(direction.begin(), direction.end(), direction.begin(), 0.0));
  constexpr double step = 3e-3;
  std::vector<float> above = x, below = x;
  double slope = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    above[k] += static_cast<float>(step * direction[k] / length);
    below[k] -= static_cast<float>(step * direction[k] / length);
    slope += double{g[k]} * (double{above[k]} - double{below[k]});
  }
  const double change = oracle.objective(0, above, {}) - oracle.objective(0, below, {});
  EXPECT_GT(std::abs(slope), 1e-5) << name << ": too flat to tell anything";
  EXPECT_NEAR(change, slope, 0.02 * std::abs(slope) + 3e-6) << name;
}

/// Central differences in single precision cannot see one coordinate among so many: along the
/// gradient within each layer, and along random directions that share a part with it, they can.
void expect_central_differences(const NeuralNetwork& network,
                                const std::vector<std::size_t>& layers) {
  const auto problem = network.make(5, 1);
  const auto oracle = problem->oracle();
  const std::vector<float> x = start_of(*problem);
  std::vector<float> g(x.size());
  oracle->objective(0, x, g);

  std::size_t first = 0;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    std::vector<double> direction(x.size());
    for (std::size_t k = first; k < first + layers[layer]; ++k) direction[k] = g[k];
    expect_slope(*oracle, x, g, direction, "layer " + std::to_string(layer));
    first += layers[layer];
  }
  EXPECT_EQ(first, x.size());

  const double length = std::sqrt(std::inner_product(g.begin(), g.end(), g.begin(), 0.0));
  const double share = length / std::sqrt(static_cast<double>(x.size()));
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Random random(seed, Purpose::problem, 77);
    std::vector<double> direction(x.size());
    for (std::size_t k = 0; k < x.size(); ++k)
      direction[k] = double{g[k]} + share * random.normal();
    expect_slope(*oracle, x, g, direction, "direction " + std::to_string(seed));
  }
}

/// Two labels a node, so that the gradient is far from zero in every layer.
NeuralNetwork by_labels(NeuralNetwork network) {
  network.partition = [](auto labels, int classes, auto nodes, auto seed) {
    return ByLabels{}.make(labels, classes, nodes, seed);
  };
  return network;
}

TEST_F(NetworkTest, CnnGradientIsThatOfTheObjective) {
  expect_central_differences(by_labels(options("cnn")), {400, 16, 12800, 32, 18432, 64, 5760, 10});
}

TEST_F(NetworkTest, MlpGradientIsThatOfTheObjective) {
  expect_central_differences(by_labels(options("mlp")), {200704, 256, 2560, 10});
}

TEST_F(NetworkTest, ABatchOfAllSamplesGivesTheObjective) {
  for (const char* model : {"cnn", "mlp"}) {
    NeuralNetwork network = options(model);
    network.batch = 1000;
    const auto problem = network.make(2, 1);
    const auto oracle = problem->oracle();
    const std::vector<float> x = start_of(*problem);
    std::vector<float> full(x.size()), g(x.size());
    const double objective = oracle->objective(1, x, full);
    EXPECT_NEAR(oracle->subgradient(1, 3, x, g), objective, 1e-5 * objective);
    for (std::size_t k = 0; k < x.size(); ++k) ASSERT_NEAR(g[k], full[k], 1e-5) << k;
    // At the start ten classes are about equally likely.
    EXPECT_NEAR(objective, std::log(10.0), 0.5);
  }
}

TEST_F(NetworkTest, ObjectiveIsTheMeanOfAnEpochsMinibatchLosses) {
  const auto problem = options("mlp").make(2, 1);  // 100 samples a node, 20 a round
  const auto oracle = problem->oracle();
  const std::vector<float> x = start_of(*problem);
  std::vector<float> g(x.size()), full(x.size());
  std::vector<double> sums(x.size());
  const double objective = oracle->objective(0, x, full);
  double loss = 0, spread = 0;
  for (Round round = 1; round <= 5; ++round) {
    const double one = oracle->subgradient(0, round, x, g);
    loss += one / 5;
    spread = std::max(spread, std::abs(one - objective));
    for (std::size_t k = 0; k < x.size(); ++k) sums[k] += double{g[k]} / 5;
  }
  EXPECT_NEAR(loss, objective, 1e-5 * objective);
  EXPECT_GT(spread, 1e-4) << "all minibatches are the same";
  for (std::size_t k = 0; k < x.size(); ++k) ASSERT_NEAR(sums[k], full[k], 1e-5) << k;
}

TEST_F(NetworkTest, FewerObjectiveSamplesMeasureAPart) {
  NeuralNetwork network = options("mlp");
  const auto all = network.make(2, 1);
  network.objective_samples = 1000;  // more than there are: all
  const auto enough = network.make(2, 1);
  network.objective_samples = 20;
  const auto few = network.make(2, 1);
  const std::vector<float> x = start_of(*all);
  const double objective = all->oracle()->objective(0, x, {});
  EXPECT_EQ(enough->oracle()->objective(0, x, {}), objective);
  EXPECT_NE(few->oracle()->objective(0, x, {}), objective);
}

TEST_F(NetworkTest, OraclesInTwoThreadsGiveTheBitsOfOne) {
  for (const char* model : {"cnn", "mlp"}) {
    const auto problem = options(model).make(2, 1);
    const std::vector<float> x = start_of(*problem);
    struct Answer {
      std::vector<std::vector<float>> gradients;
      std::vector<float> losses;
      bool operator==(const Answer&) const = default;
    };
    const auto ask = [&](Oracle& oracle, Node node) {
      Answer answer;
      for (Round round = 1; round <= 4; ++round) {
        std::vector<float>& g = answer.gradients.emplace_back(x.size());
        answer.losses.push_back(oracle.subgradient(node, round, x, g));
      }
      return answer;
    };
    const auto oracle = problem->oracle();
    const Answer expected[] = {ask(*oracle, 0), ask(*oracle, 1)};
    Answer found[2];
    const auto work = [&](Node node) {
      const auto own = problem->oracle();
      found[node] = ask(*own, node);
    };
    std::thread first(work, Node{0}), second(work, Node{1});
    first.join();
    second.join();
    EXPECT_TRUE(found[0] == expected[0]) << model;
    EXPECT_TRUE(found[1] == expected[1]) << model;
    EXPECT_FALSE(expected[0] == expected[1]) << model;
  }
}

TEST_F(NetworkTest, PointingAtAnotherNodeLeavesNothingBehind) {
  const auto problem = options("cnn").make(2, 1);
  const auto oracle = problem->oracle();
  const std::vector<float> x = start_of(*problem);
  std::vector<float> other = x;
  for (float& value : other) value *= 1.5f;
  const std::vector<float> other_before = other;
  std::vector<float> first(x.size()), between(x.size()), again(x.size(), 99.0f);

  const float loss = oracle->subgradient(0, 1, x, first);
  const std::vector<float> kept = first;
  oracle->subgradient(1, 1, other, between);
  const std::vector<float> between_kept = between;
  oracle->accuracy(other);
  oracle->objective(1, other, {});
  EXPECT_EQ(oracle->subgradient(0, 1, x, again), loss);
  EXPECT_TRUE(again == first);
  // What one node asked for is not written to by what others ask.
  EXPECT_TRUE(first == kept);
  EXPECT_TRUE(between == between_kept);
  EXPECT_TRUE(other == other_before);
  EXPECT_FALSE(between == first);
}

TEST_F(NetworkTest, PlainSgdLearnsToBeBetterThanChance) {
  const auto problem = options("mlp").make(1, 1);
  const auto oracle = problem->oracle();
  std::vector<float> x = start_of(*problem), g(x.size());
  const double before = oracle->objective(0, x, {});
  const auto start_accuracy = oracle->accuracy(x);
  ASSERT_TRUE(start_accuracy.has_value());
  EXPECT_GE(*start_accuracy, 0);
  EXPECT_LE(*start_accuracy, 1);
  for (Round round = 1; round <= 60; ++round) {
    oracle->subgradient(0, round, x, g);
    for (std::size_t k = 0; k < x.size(); ++k) x[k] -= 0.05f * g[k];
  }
  EXPECT_LT(oracle->objective(0, x, {}), 0.7 * before);
  const double accuracy = oracle->accuracy(x).value_or(-1);
  EXPECT_GT(accuracy, 0.4);
  EXPECT_LE(accuracy, 1);
}

TEST_F(NetworkTest, TestSamplesLimitWhatAccuracyIsMeasuredOn) {
  NeuralNetwork network = options("mlp");
  network.test_samples = 7;
  const auto problem = network.make(1, 1);
  const double accuracy = problem->oracle()->accuracy(start_of(*problem)).value_or(-1);
  EXPECT_NEAR(accuracy * 7, std::round(accuracy * 7), 1e-9);
  EXPECT_NE(problem->summary().find("200 training and 7 test images"), std::string::npos);
}

TEST_F(NetworkTest, StartIsTheSameForTheSameSeed) {
  for (const char* model : {"cnn", "mlp"}) {
    const auto problem = options(model).make(2, 5);
    EXPECT_TRUE(start_of(*problem) == start_of(*options(model).make(3, 5)));
    EXPECT_FALSE(start_of(*problem) == start_of(*options(model).make(2, 6)));
  }
}

TEST_F(NetworkTest, StartIsBoundedByTheRootOfTheFanIn) {
  const std::vector<float> x = start_of(*options("mlp").make(2, 5));
  const auto expect_within = [&](std::size_t first, std::size_t count, double bound) {
    double largest = 0;
    for (std::size_t k = first; k < first + count; ++k)
      largest = std::max(largest, std::abs(double{x[k]}));
    EXPECT_LE(largest, bound * (1 + 1e-6));
    EXPECT_GT(largest, bound * 0.9);
  };
  expect_within(0, 784 * 256, 1.0 / 28);
  expect_within(784 * 256, 256, 1.0 / 28);
  expect_within(784 * 256 + 256, 2560, 1.0 / 16);
  const std::vector<float> cnn = start_of(*options("cnn").make(2, 5));
  for (std::size_t k = 0; k < 416; ++k) ASSERT_LE(std::abs(cnn[k]), 0.2f * 1.000001f);
}

TEST_F(NetworkTest, PartialSubgradientsComputeOnlyTheTensorsOfThePart) {
  const auto cnn = options("cnn").make(2, 1), mlp = options("mlp").make(2, 1);
  EXPECT_EQ(cnn->tensors(), (std::vector<std::size_t>{400, 16, 12800, 32, 18432, 64, 5760, 10}));
  EXPECT_EQ(mlp->tensors(), (std::vector<std::size_t>{200704, 256, 2560, 10}));
  for (const Node node : {0u, 1u})
    for (const Round round : {0u, 3u}) {
      expect_partial_subgradients(*cnn, parts_of(*cnn, 1), node, round);
      expect_partial_subgradients(*mlp, parts_of(*mlp, 1), node, round);
    }
}

TEST_F(NetworkTest, PartialSubgradientsOfOneSampleAreParts) {
  // libtorch computes convolutions of a single image in another way.
  NeuralNetwork network = options("cnn");
  network.batch = 1;
  const auto problem = network.make(2, 1);
  expect_partial_subgradients(*problem, parts_of(*problem, 1), 1, 5);
}

/// One file a batch of CIFAR-10, two records each, all pixels in [0, 100) but the channels of
/// `shifted` by affine maps of their own.
void write_cifar(const TempFolder& folder, bool shifted) {
  constexpr int factors[] = {2, 1, 1}, offsets[] = {7, 150, 0};
  for (Node k = 0; k <= 5; ++k) {
    std::string bytes;
    for (Node r = 0; r < 2; ++r) {
      std::string pixels = random_bytes(cifar_pixels, 100, 2 * k + r);
      if (shifted)
        for (std::size_t p = 0; p < pixels.size(); ++p)
          pixels[p] = static_cast<char>(factors[p / 1024] * pixels[p] + offsets[p / 1024]);
      bytes += cifar_record(static_cast<int>(2 * k + r) % 10, pixels);
    }
    folder.write(k == 0 ? "test_batch.bin" : "data_batch_" + std::to_string(k) + ".bin", bytes);
  }
}

TEST_F(NetworkTest, EveryChannelHasItsOwnScale) {
  const TempFolder plain, shifted;
  write_cifar(plain, false);
  write_cifar(shifted, true);
  double objectives[2];
  for (const bool other : {false, true}) {
    NeuralNetwork network = network_on(other ? shifted : plain, "mlp");
    network.dataset = "cifar-10";
    const auto problem = network.make(2, 1);
    EXPECT_EQ(problem->dimension(), 3072u * 256 + 256 + 2560 + 10);
    objectives[other] = problem->oracle()->objective(1, start_of(*problem), {});
  }
  EXPECT_NEAR(objectives[1], objectives[0], 1e-5);
}

TEST_F(NetworkTest, RefusesAnUnknownDataset) {
  NeuralNetwork network = options("mlp");
  network.dataset = "fashion-mnst";
  const std::string error = user_error_of([&] { network.make(2, 1); });
  EXPECT_TRUE(says(error, "problem.dataset = \"fashion-mnst\": unknown"));
  EXPECT_TRUE(says(error, "did you mean \"fashion-mnist\"?"));
}

TEST_F(NetworkTest, RefusesAnUnknownModel) {
  const std::string error = user_error_of([&] { options("resnet").make(2, 1); });
  EXPECT_TRUE(says(error, "problem.model = \"resnet\": unknown (did you mean \"resnet18\"?)"));
}

TEST_F(NetworkTest, CnnRefusesImagesTooSmallToHalveThreeTimes) {
  const TempFolder small;
  write_images(small, "train", 20, 7, 1);
  write_images(small, "t10k", 10, 7, 2);
  NeuralNetwork network = options("cnn");
  network.path = small.path().string();
  EXPECT_TRUE(says(user_error_of([&] { network.make(2, 1); }),
                   "problem.model = \"cnn\": needs images of 8 x 8 at least, these are 7 x 7"));
}

}  // namespace
}  // namespace starling
