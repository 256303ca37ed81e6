/// ResNet-18: its parameters, its numbers against plain loops in double, and its BatchNorm layers,
/// which must leave all losses functions of x.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "image_files.hpp"
#include "network_support.hpp"
#include "plain_resnet.hpp"
#include "starling/base/random.hpp"
#include "starling/problem/architecture.hpp"
#include "starling/problem/network.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

std::vector<ParameterShape> shapes_for(ImageShape image) {
  return architecture("resnet18").parameters(image, 10);
}

TEST(ResnetTest, HasTheNumberOfParametersOfTheCifarForm) {
  std::int64_t all = 0;
  for (const ParameterShape& shape : shapes_for({3, 32, 32})) all += shape.count();
  EXPECT_EQ(all, 11173962);
  EXPECT_EQ(shapes_for({3, 32, 32}).size(), 62u);
  std::int64_t grey = 0;
  for (const ParameterShape& shape : shapes_for({1, 28, 28})) grey += shape.count();
  EXPECT_EQ(grey, 11173962 - 2 * 9 * 64);
}

TEST(ResnetTest, NamesAndShapesAreThoseOfPyTorch) {
  using Sizes = std::vector<std::int64_t>;
  std::vector<std::string> names;
  std::vector<Sizes> sizes;
  const auto expect = [&](const std::string& name, const Sizes& shape) {
    names.push_back(name);
    sizes.push_back(shape);
  };
  const auto expect_norm = [&](const std::string& name, std::int64_t channels) {
    expect(name + ".weight", {channels});
    expect(name + ".bias", {channels});
  };
  expect("conv1.weight", {64, 3, 3, 3});
  expect_norm("bn1", 64);
  const std::int64_t channels[] = {64, 64, 128, 256, 512};
  for (const std::size_t stage : {1u, 2u, 3u, 4u})
    for (const std::string block : {"0", "1"}) {
      const std::string layer = "layer" + std::to_string(stage) + "." + block;
      const std::int64_t in = channels[block == "0" ? stage - 1 : stage], out = channels[stage];
      expect(layer + ".conv1.weight", {out, in, 3, 3});
      expect_norm(layer + ".bn1", out);
      expect(layer + ".conv2.weight", {out, out, 3, 3});
      expect_norm(layer + ".bn2", out);
      if (stage == 1 || block == "1") continue;
      expect(layer + ".downsample.0.weight", {out, in, 1, 1});
      expect_norm(layer + ".downsample.1", out);
    }
  expect("fc.weight", {10, 512});
  expect("fc.bias", {10});

  std::vector<std::string> found_names;
  std::vector<Sizes> found_sizes;
  for (const ParameterShape& shape : shapes_for({3, 32, 32})) {
    found_names.push_back(shape.name);
    found_sizes.push_back(shape.sizes);
  }
  EXPECT_EQ(found_names, names);
  EXPECT_EQ(found_sizes, sizes);
}

constexpr std::uint32_t rows = 6, columns = 5;  // halved to 3 x 3, 2 x 2, 1 x 1
constexpr std::size_t trained = 8, tested = 30;

/// Where a tensor lies in x.
Part tensor(const std::string& name) {
  std::size_t first = 0;
  for (const ParameterShape& shape : shapes_for({1, rows, columns})) {
    const auto count = static_cast<std::size_t>(shape.count());
    if (shape.name == name) return {first, count};
    first += count;
  }
  throw std::runtime_error("no tensor " + name);
}

/// The start, but BatchNorm weights and biases differ from channel to channel.
std::vector<float> point_of(const Problem& problem) {
  std::vector<float> x = start_of(problem);
  Random random(3, Purpose::problem);
  std::size_t first = 0;
  for (const ParameterShape& shape : shapes_for({1, rows, columns})) {
    const auto count = static_cast<std::size_t>(shape.count());
    if (shape.start != ParameterShape::Start::uniform)
      for (float& value : std::span(x).subspan(first, count))
        value += static_cast<float>(0.2 * random.normal());
    first += count;
  }
  return x;
}

std::vector<double> in_double(const std::vector<float>& x) { return {x.begin(), x.end()}; }

/// Images as problems scale them: each channel's mean is 0 and its deviation 1 over `training`.
std::vector<PlainMaps> plain_images(const std::string& pixels, const std::string& training,
                                    std::size_t channels, std::size_t height, std::size_t width) {
  const std::size_t plane = height * width, size = channels * plane;
  const auto pixel = [](char byte) {
    return static_cast<double>(static_cast<unsigned char>(byte));
  };
  const auto per_channel = static_cast<double>(training.size() / channels);
  std::vector<double> means(channels), variances(channels);
  for (std::size_t p = 0; p < training.size(); ++p)
    means[p % size / plane] += pixel(training[p]) / per_channel;
  for (std::size_t p = 0; p < training.size(); ++p)
    variances[p % size / plane] +=
        std::pow(pixel(training[p]) - means[p % size / plane], 2) / per_channel;
  std::vector<PlainMaps> images(pixels.size() / size);
  for (std::size_t k = 0; k < images.size(); ++k) {
    images[k] = {height, width, channels, std::vector<double>(size)};
    for (std::size_t v = 0; v < size; ++v) {
      const std::size_t c = v % channels, place = v / channels;
      images[k].values[v] =
          (pixel(pixels[k * size + c * plane + place]) - means[c]) / std::sqrt(variances[c]);
    }
  }
  return images;
}

/// Mean cross-entropy; image k has label k modulo 10.
double mean_loss(const std::vector<std::vector<double>>& scores) {
  double sum = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    double exponentials = 0;
    for (const double score : scores[k]) exponentials += std::exp(score);
    sum += std::log(exponentials) - scores[k][k % 10];
  }
  return sum / static_cast<double>(scores.size());
}

/// Mean and unbiased variance, averaged over `count` batches: images j, j + count, ... are batch j.
std::vector<PlainStatistics> plain_statistics(PlainResnet& plain,
                                              const std::vector<PlainMaps>& images,
                                              std::size_t count) {
  std::vector<PlainStatistics> means;
  for (std::size_t j = 0; j < count; ++j) {
    std::vector<PlainMaps> batch;
    for (std::size_t k = j; k < images.size(); k += count) batch.push_back(images[k]);
    plain.scores(batch);
    if (j == 0) means.resize(plain.seen().size());
    for (std::size_t layer = 0; layer < means.size(); ++layer) {
      const PlainStatistics& own = plain.seen()[layer];
      means[layer].mean.resize(own.mean.size());
      means[layer].variance.resize(own.mean.size());
      for (std::size_t c = 0; c < own.mean.size(); ++c) {
        means[layer].mean[c] += own.mean[c] / static_cast<double>(count);
        means[layer].variance[c] += own.variance[c] / static_cast<double>(count);
      }
    }
  }
  return means;
}

/// Along a direction that shares a part with g, within one tensor, the slope of `loss`, a function
/// of x, is what g says.
void expect_slope(std::vector<double>& x, const std::vector<float>& g, const std::string& name,
                  const std::function<double()>& loss) {
  const std::size_t first = tensor(name).first, count = tensor(name).count;
  double length = 0, expected = 0;
  for (std::size_t k = first; k < first + count; ++k) length += double{g[k]} * double{g[k]};
  length = std::sqrt(length);
  ASSERT_GT(length, 1e-4) << name << ": too flat to tell anything";
  Random random(5, Purpose::problem, static_cast<Node>(first));
  std::vector<double> direction(count);
  for (std::size_t k = 0; k < count; ++k) {
    direction[k] =
        double{g[first + k]} / length + random.normal() / std::sqrt(static_cast<double>(count));
    expected += direction[k] * double{g[first + k]};
  }
  constexpr double step = 1e-6;
  const std::vector<double> kept = x;
  const auto moved = [&](double far) {
    for (std::size_t k = 0; k < count; ++k) x[first + k] = kept[first + k] + far * direction[k];
    return loss();
  };
  const double above = moved(step), below = moved(-step);
  x = kept;
  EXPECT_NEAR((above - below) / (2 * step), expected, 1e-3 * length) << name;
}

constexpr const char* some_tensors[] = {
    "conv1.weight",          "layer1.1.bn1.weight", "layer2.0.downsample.0.weight",
    "layer3.0.conv1.weight", "layer4.1.bn2.bias",   "fc.weight"};

/// Noise of 6 x 5 pixels.
class SmallResnetTest : public ::testing::Test {
 protected:
  SmallResnetTest() {
    write_idx(folder_, "train", rows, columns, train_pixels_, counting_labels(trained));
    write_idx(folder_, "t10k", rows, columns, test_pixels_, counting_labels(tested));
  }

  NeuralNetwork options(std::int64_t batch) const {
    NeuralNetwork network = network_on(folder_, "resnet18");
    network.batch = batch;
    return network;
  }

  std::vector<PlainMaps> plain(const std::string& pixels) const {
    return plain_images(pixels, train_pixels_, 1, rows, columns);
  }

  const TempFolder folder_;
  const std::string train_pixels_ = random_bytes(trained * rows * columns, 256, 1);
  const std::string test_pixels_ = random_bytes(tested * rows * columns, 256, 2);
};

TEST_F(SmallResnetTest, SubgradientIsThatOfPlainLoopsWithTheBatchsStatistics) {
  const auto problem = options(1000).make(1, 1);
  const std::vector<float> x = point_of(*problem);
  std::vector<float> g(x.size());
  const double loss = problem->oracle()->subgradient(0, 1, x, g);

  std::vector<double> plain_x = in_double(x);
  PlainResnet network(plain_x);
  const std::vector<PlainMaps> images = plain(train_pixels_);
  const auto plain_loss = [&] { return mean_loss(network.scores(images)); };
  EXPECT_NEAR(loss, plain_loss(), 1e-4);
  for (const char* name : some_tensors) expect_slope(plain_x, g, name, plain_loss);
}

TEST_F(SmallResnetTest, ObjectiveIsThatOfPlainLoopsWithStatisticsHeldConstant) {
  const auto problem = options(4).make(1, 1);
  const std::vector<float> x = point_of(*problem);
  std::vector<float> g(x.size());
  const double objective = problem->oracle()->objective(0, x, g);

  std::vector<double> plain_x = in_double(x);
  PlainResnet network(plain_x);
  const std::vector<PlainMaps> images = plain(train_pixels_);
  const std::vector<PlainStatistics> constants = plain_statistics(network, images, trained / 4);
  const auto plain_loss = [&] { return mean_loss(network.scores(images, constants)); };
  EXPECT_NEAR(objective, plain_loss(), 1e-4);
  for (const char* name : some_tensors) expect_slope(plain_x, g, name, plain_loss);
}

TEST_F(SmallResnetTest, AccuracyIsThatOfPlainLoops) {
  const std::vector<float> x = point_of(*options(4).make(1, 1));
  const std::vector<double> plain_x = in_double(x);
  PlainResnet network(plain_x);
  const auto constants = plain_statistics(network, plain(train_pixels_), trained / 4);
  // The labels of 20 images become what plain loops find, those of the others something else.
  std::string labels;
  std::set<char> different;
  for (const std::vector<double>& row : network.scores(plain(test_pixels_), constants)) {
    const auto best = std::max_element(row.begin(), row.end()) - row.begin();
    labels += static_cast<char>(labels.size() < 20 ? best : (best + 1) % 10);
    different.insert(static_cast<char>(best));
  }
  EXPECT_GT(different.size(), 1u);
  write_idx(folder_, "t10k", rows, columns, test_pixels_, labels);
  const double accuracy = options(4).make(1, 1)->oracle()->accuracy(x).value_or(-1);
  EXPECT_NEAR(accuracy, 20.0 / 30, 1e-9);
}

TEST_F(SmallResnetTest, AccuracyDoesNotDependOnTheOrderOfTheTestImages) {
  constexpr std::size_t count = 130, size = rows * columns;  // two evaluation batches
  const std::string pixels = random_bytes(count * size, 256, 3), labels = counting_labels(count);
  std::string reversed_pixels, reversed_labels;
  for (std::size_t k = count; k-- > 0;) {
    reversed_pixels += pixels.substr(k * size, size);
    reversed_labels += labels[k];
  }
  write_idx(folder_, "t10k", rows, columns, pixels, labels);
  const auto problem = options(4).make(1, 1);
  const std::vector<float> x = point_of(*problem);
  write_idx(folder_, "t10k", rows, columns, reversed_pixels, reversed_labels);
  const auto reversed = options(4).make(1, 1);
  EXPECT_EQ(problem->oracle()->accuracy(x), reversed->oracle()->accuracy(x));
}

TEST_F(SmallResnetTest, NothingIsRememberedFromOneXToTheNext) {
  const auto problem = options(3).make(2, 1);
  const auto oracle = problem->oracle();
  std::vector<float> x = point_of(*problem), g(x.size()), again(x.size());
  const double objective = oracle->objective(0, x, {});
  const float loss = oracle->subgradient(0, 1, x, g);
  const std::size_t bias = tensor("layer1.0.bn1.bias").first;
  const float kept = x[bias];
  x[bias] += 0.5f;  // the same memory, another x
  const double other = oracle->objective(0, x, {});
  EXPECT_EQ(other, problem->oracle()->objective(0, x, {}));
  EXPECT_NE(other, objective);
  EXPECT_EQ(oracle->accuracy(x), problem->oracle()->accuracy(x));
  x[bias] = kept;
  EXPECT_EQ(oracle->subgradient(0, 1, x, again), loss);
  EXPECT_TRUE(same_bits(again, g));
  EXPECT_EQ(oracle->objective(0, x, {}), objective);
}

TEST_F(SmallResnetTest, NormSamplesSayWhatStatisticsAreEstimatedOn) {
  NeuralNetwork network = options(2);
  const auto all = network.make(1, 1);
  network.norm_samples = 4;
  const auto some = network.make(1, 1);
  const std::vector<float> x = point_of(*all);
  EXPECT_NE(some->oracle()->objective(0, x, {}), all->oracle()->objective(0, x, {}));
  network.norm_samples = trained;
  EXPECT_EQ(network.make(1, 1)->oracle()->objective(0, x, {}), all->oracle()->objective(0, x, {}));
}

TEST_F(SmallResnetTest, OraclesInTwoThreadsGiveTheBitsOfOne) {
  const auto problem = options(3).make(2, 1);
  const std::vector<float> x = point_of(*problem);
  struct Answer {
    std::vector<float> g, full, losses;
    double objective = 0, accuracy = 0;
    bool operator==(const Answer&) const = default;
  };
  const auto ask = [&](Node node) {
    const auto oracle = problem->oracle();
    Answer answer{std::vector<float>(x.size()), std::vector<float>(x.size()), {}, 0, 0};
    for (Round round = 1; round <= 3; ++round)
      answer.losses.push_back(oracle->subgradient(node, round, x, answer.g));
    answer.objective = oracle->objective(node, x, answer.full);
    answer.accuracy = oracle->accuracy(x).value_or(-1);
    return answer;
  };
  const Answer expected[] = {ask(0), ask(1)};
  Answer found[2];
  std::thread first([&] { found[0] = ask(0); }), second([&] { found[1] = ask(1); });
  first.join();
  second.join();
  EXPECT_TRUE(found[0] == expected[0]);
  EXPECT_TRUE(found[1] == expected[1]);
  EXPECT_FALSE(expected[0] == expected[1]);
}

TEST_F(SmallResnetTest, StartsWithNormsThatChangeNothing) {
  const std::vector<float> x = start_of(*options(4).make(1, 7));
  std::size_t first = 0;
  for (const ParameterShape& shape : shapes_for({1, rows, columns})) {
    const auto own = std::span(x).subspan(first, static_cast<std::size_t>(shape.count()));
    const auto [low, high] = std::ranges::minmax(own);
    const bool norm = shape.sizes.size() == 1 && shape.name != "fc.bias";
    if (norm) {
      EXPECT_EQ(low, shape.name.ends_with(".weight") ? 1.0f : 0.0f) << shape.name;
      EXPECT_EQ(high, low) << shape.name;
    } else {
      const std::int64_t inputs =
          shape.sizes.size() == 4 ? shape.sizes[1] * shape.sizes[2] * shape.sizes[3] : 512;
      const double bound = 1 / std::sqrt(static_cast<double>(inputs));
      EXPECT_LE(std::max(-low, high), bound * (1 + 1e-6)) << shape.name;
      const double reach = own.size() > 100 ? 0.9 : 0;
      EXPECT_GT(std::min(-low, high), bound * reach) << shape.name;
    }
    first += own.size();
  }
  EXPECT_EQ(first, x.size());
}

TEST_F(SmallResnetTest, RefusesASingleTrainingSample) {
  write_idx(folder_, "train", rows, columns, std::string(rows * columns, 'x'), counting_labels(1));
  EXPECT_TRUE(says(user_error_of([&] { options(4).make(1, 1); }),
                   "problem.model: BatchNorm needs two training samples at least, there is one"));
}

TEST(ResnetTest, PartialSubgradientsComputeOnlyTheTensorsOfThePart) {
  const TempFolder folder;
  write_idx(folder, "train", 8, 8, random_bytes(12 * 64, 256, 1), counting_labels(12));
  write_idx(folder, "t10k", 8, 8, random_bytes(64, 256, 2), counting_labels(1));
  NeuralNetwork network = network_on(folder, "resnet18");
  network.batch = 4;
  const auto problem = network.make(2, 1);
  EXPECT_EQ(problem->tensors().size(), 62u);
  expect_partial_subgradients(*problem, parts_of(*problem, 7), 1, 2);
  expect_partial_subgradients(*problem, {{problem->dimension() / 2, 1000000}}, 0, 0);
}

TEST(ResnetTest, TakesImagesOf28) {
  const TempFolder folder;
  write_idx(folder, "train", 28, 28, random_bytes(4 * 784, 256, 1), counting_labels(4));
  write_idx(folder, "t10k", 28, 28, random_bytes(784, 256, 2), counting_labels(1));
  const auto problem = network_on(folder, "resnet18").make(1, 1);
  const std::vector<float> x = start_of(*problem);
  std::vector<float> g(x.size());
  const auto oracle = problem->oracle();
  const float loss = oracle->subgradient(0, 1, x, g);
  EXPECT_GT(loss, 0.5f);
  EXPECT_LT(loss, 8.0f);
  // A step against the subgradient lowers the loss of the same minibatch.
  const double squares = std::inner_product(g.begin(), g.end(), g.begin(), 0.0);
  std::vector<float> next = x;
  for (std::size_t k = 0; k < x.size(); ++k)
    next[k] -= static_cast<float>(0.001 * double{g[k]} / std::sqrt(squares));
  EXPECT_LT(oracle->subgradient(0, 1, next, g), loss);
}

TEST(ResnetTest, LossOnCifarIsThatOfPlainLoops) {
  const TempFolder folder;
  std::string all;
  for (int k = 0; k <= 5; ++k) {
    // Every channel has its own mean and deviation.
    const auto stream = static_cast<Node>(3 * k);
    const std::string pixels = random_bytes(1024, 40, stream) +
                               random_bytes(1024, 256, stream + 1) +
                               random_bytes(1024, 150, stream + 2);
    if (k == 0) {
      folder.write("test_batch.bin", cifar_record(0, pixels));
    } else {
      folder.write("data_batch_" + std::to_string(k) + ".bin", cifar_record(k - 1, pixels));
      all += pixels;
    }
  }
  NeuralNetwork network = network_on(folder, "resnet18");
  network.dataset = "cifar-10";
  const auto problem = network.make(1, 1);
  EXPECT_EQ(problem->dimension(), 11173962u);
  const std::vector<float> x = start_of(*problem);
  std::vector<float> g(x.size());
  const double loss = problem->oracle()->subgradient(0, 1, x, g);

  const std::vector<double> plain_x = in_double(x);
  PlainResnet plain(plain_x);
  EXPECT_NEAR(loss, mean_loss(plain.scores(plain_images(all, all, 3, 32, 32))), 1e-4);
}

}  // namespace
}  // namespace starling
