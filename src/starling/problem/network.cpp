#include "starling/problem/network.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"
#include "starling/data/batches.hpp"
#include "starling/data/image_sets.hpp"
#include "starling/problem/architecture.hpp"
#include "starling/problem/network_oracle.hpp"

namespace starling {
namespace {

class NetworkProblem final : public Problem {
 public:
  NetworkProblem(NetworkData data, std::string name, std::uint64_t seed)
      : data_(std::move(data)), name_(std::move(name)), seed_(seed) {}

  std::size_t nodes() const override { return data_.batches.partition().size(); }
  std::size_t dimension() const override { return data_.dimension; }
  std::vector<std::size_t> tensors() const override;
  void start(std::span<float> x) const override;
  std::unique_ptr<Oracle> oracle() override { return make_network_oracle(data_); }
  double epochs(Round rounds) const override { return data_.batches.epochs(rounds); }
  std::string summary() const override;

 private:
  NetworkData data_;
  std::string name_;
  std::uint64_t seed_;
};

std::vector<std::size_t> NetworkProblem::tensors() const {
  std::vector<std::size_t> lengths;
  for (const ParameterShape& shape : data_.parameters)
    lengths.push_back(static_cast<std::size_t>(shape.count()));
  return lengths;
}

void NetworkProblem::start(std::span<float> x) const {
  std::size_t offset = 0;
  for (std::size_t p = 0; p < data_.parameters.size(); ++p) {
    const ParameterShape& shape = data_.parameters[p];
    const std::span<float> own = x.subspan(offset, static_cast<std::size_t>(shape.count()));
    if (shape.start == ParameterShape::Start::uniform) {
      const double bound = 1 / std::sqrt(static_cast<double>(shape.fan_in));
      Random random(seed_, Purpose::start, static_cast<Node>(p));
      for (float& value : own) value = static_cast<float>((2 * random.uniform() - 1) * bound);
    } else {
      std::ranges::fill(own, shape.start == ParameterShape::Start::one ? 1.0f : 0.0f);
    }
    offset += own.size();
  }
}

std::string NetworkProblem::summary() const {
  const Images& train = data_.images.train;
  return fmt::format("{}: {} parameters, {} training and {} test images\n", name_, dimension(),
                     train.count, data_.test_samples.size()) +
         starling::summary(data_.batches.partition(), train.labels, train.classes);
}

/// `count` of the samples, evenly spaced.
std::vector<std::uint32_t> spaced(std::span<const std::uint32_t> samples, std::size_t count) {
  std::vector<std::uint32_t> chosen;
  for (std::size_t k = 0; k < count; ++k) chosen.push_back(samples[k * samples.size() / count]);
  return chosen;
}

/// Every node gives the same share of its samples, one at least; `most` is 0 for all of them.
Partition choose_objective_samples(const Partition& partition, std::size_t most) {
  std::size_t all = 0;
  for (const auto& own : partition) all += own.size();
  const double share =
      most == 0 ? 1 : std::min(1.0, static_cast<double>(most) / static_cast<double>(all));
  Partition chosen;
  for (const auto& own : partition) {
    const auto count = static_cast<std::size_t>(share * static_cast<double>(own.size()));
    chosen.push_back(spaced(own, std::max<std::size_t>(1, count)));
  }
  return chosen;
}

/// As many batches as `most` samples fill, dealt out sample by sample, so that every batch is a
/// mixture of all nodes' samples. Two at least, as the variance of a single pixel is not defined.
Partition choose_norm_batches(const Partition& partition, std::size_t most, std::size_t batch) {
  std::vector<std::uint32_t> all;
  for (const auto& own : partition) all.insert(all.end(), own.begin(), own.end());
  const std::vector<std::uint32_t> chosen = spaced(all, std::min(most, all.size()));
  if (chosen.size() < 2)
    throw UserError("problem.model: BatchNorm needs two training samples at least, there is one");
  const std::size_t count = chosen.size() / std::max<std::size_t>(2, batch);
  Partition batches(std::max<std::size_t>(1, count));
  for (std::size_t k = 0; k < chosen.size(); ++k) batches[k % batches.size()].push_back(chosen[k]);
  return batches;
}

/// The first of `count` samples; `most` is 0 for all of them.
std::vector<std::uint32_t> first_samples(std::size_t count, std::size_t most) {
  std::vector<std::uint32_t> samples(most == 0 ? count : std::min(most, count));
  for (std::size_t k = 0; k < samples.size(); ++k) samples[k] = static_cast<std::uint32_t>(k);
  return samples;
}

/// The scale of one channel's pixels.
PixelScale scale_of(const Images& images, std::size_t channel) {
  const std::size_t plane = images.rows * images.columns;
  double sum = 0, squares = 0;
  for (std::size_t k = 0; k < images.count; ++k) {
    const std::uint8_t* pixels = images.pixels.data() + (k * images.channels + channel) * plane;
    for (std::size_t p = 0; p < plane; ++p) {
      sum += pixels[p];
      squares += pixels[p] * pixels[p];
    }
  }
  const auto count = static_cast<double>(images.count * plane);
  const auto mean = static_cast<float>(sum / count / 255);
  auto deviation =
      static_cast<float>(std::sqrt(squares / count - sum / count * (sum / count)) / 255);
  if (!(deviation > 0)) deviation = 1;  // all pixels are the same
  return {1 / (255 * deviation), mean / deviation};
}

ImageShape shape_of(const Images& images) {
  return {static_cast<std::int64_t>(images.channels), static_cast<std::int64_t>(images.rows),
          static_cast<std::int64_t>(images.columns)};
}

/// The architecture, or UserError where images are too small for it.
const Architecture& architecture_for(const std::string& model, ImageShape image) {
  const Architecture& found = architecture(model);
  if (std::min(image.rows, image.columns) < found.smallest_side)
    throw UserError{
        fmt::format("problem.model = \"{}\": needs images of {} x {} at least, these are {} x {}",
                    model, found.smallest_side, found.smallest_side, image.rows, image.columns)};
  return found;
}

}  // namespace

std::unique_ptr<Problem> NeuralNetwork::make(std::size_t nodes, std::uint64_t seed) const {
  ImageSet images = load_image_set(dataset, path);
  const Images& train = images.train;
  const Architecture& network = architecture_for(model, shape_of(train));
  Batches batches(partition(train.labels, train.classes, nodes, seed),
                  static_cast<std::size_t>(batch), sampling == "reshuffle", seed);
  NetworkData data{.architecture = network,
                   .parameters = network.parameters(shape_of(train), train.classes),
                   .images = std::move(images),
                   .batches = std::move(batches)};
  for (const ParameterShape& shape : data.parameters)
    data.dimension += static_cast<std::size_t>(shape.count());
  for (std::size_t c = 0; c < data.images.train.channels; ++c)
    data.scales.push_back(scale_of(data.images.train, c));
  const Partition& shares = data.batches.partition();
  data.objective_samples =
      choose_objective_samples(shares, static_cast<std::size_t>(objective_samples));
  if (network.has_norms)
    data.norm_batches = choose_norm_batches(shares, static_cast<std::size_t>(norm_samples),
                                            static_cast<std::size_t>(batch));
  data.test_samples = first_samples(data.images.test.count, static_cast<std::size_t>(test_samples));
  return std::make_unique<NetworkProblem>(std::move(data), fmt::format("{} on {}", model, dataset),
                                          seed);
}

}  // namespace starling
