#include "starling/problem/network.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"
#include "starling/data/batches.hpp"
#include "starling/data/image_sets.hpp"
#include "starling/problem/model.hpp"

namespace starling {
namespace {

/// Images computed at a time where no gradient is asked for.
constexpr std::size_t evaluation_batch = 500;

/// One thread a node: OpenMP starts every new thread with all cores, and OpenBLAS does not listen
/// to libtorch at all, so both are told. (OpenBLAS only where it is the library in use.)
void use_one_thread() {
  at::set_num_threads(1);
  using SetThreads = void (*)(int);
  if (void* symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))
    reinterpret_cast<SetThreads>(symbol)(1);
}

/// A float tensor that looks at memory it does not own.
at::Tensor look_at(float* data, std::int64_t count) {
  return at::from_blob(data, {count}, at::TensorOptions().dtype(at::kFloat));
}

/// Lets every view of `flat` look at `data` from now on; costs nothing, whatever the size.
void point_at(const at::Tensor& flat, const float* data) {
  void* address = const_cast<float*>(data);  // libtorch has no tensors of constants
  flat.storage().set_data_ptr(at::DataPtr(address, at::kCPU));
}

class NetworkProblem final : public Problem {
 public:
  NetworkProblem(ImageSet images, Model model, Batches batches, const NeuralNetwork& options,
                 std::uint64_t seed);

  std::size_t nodes() const override { return batches_.partition().size(); }
  std::size_t dimension() const override { return static_cast<std::size_t>(model_.dimension()); }
  void start(std::span<float> x) const override;
  std::unique_ptr<Oracle> oracle() override;
  double epochs(Round rounds) const override { return batches_.epochs(rounds); }
  std::string summary() const override;

 private:
  friend class NetworkOracle;
  void choose_objective_samples(std::size_t most);

  ImageSet images_;
  Model model_;
  Batches batches_;
  Partition objective_samples_;
  std::vector<std::uint32_t> test_samples_;
  std::uint64_t seed_;
  std::string name_;
  float mean_ = 0, deviation_ = 1;  ///< of the training pixels, in [0, 1]
};

class NetworkOracle final : public Oracle {
 public:
  explicit NetworkOracle(NetworkProblem& problem);
  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override;
  double objective(Node node, std::span<const float> x, std::span<float> g) override;
  std::optional<double> accuracy(std::span<const float> x) override;

 private:
  struct Batch {
    at::Tensor images, labels;
  };
  Batch load(const Images& source, std::span<const std::uint32_t> samples);
  double loss_over(std::span<const std::uint32_t> samples, double scale, bool with_gradient);
  void bind(std::span<const float> x, std::span<float> g);

  NetworkProblem& problem_;
  BatchReader reader_;
  std::vector<float> pixels_;
  std::vector<std::int64_t> labels_;
  std::vector<float> spare_;            ///< what the flat tensors look at before the first call
  at::Tensor flat_x_, flat_g_;          ///< look at a node's x and g
  std::vector<at::Tensor> parameters_;  ///< views of flat_x_, with gradients in flat_g_
};

NetworkProblem::NetworkProblem(ImageSet images, Model model, Batches batches,
                               const NeuralNetwork& options, std::uint64_t seed)
    : images_(std::move(images)),
      model_(std::move(model)),
      batches_(std::move(batches)),
      seed_(seed),
      name_(fmt::format("{} on {}", options.model, options.dataset)) {
  double sum = 0, squares = 0;
  for (const std::uint8_t pixel : images_.train.pixels) {
    sum += pixel;
    squares += pixel * pixel;
  }
  const auto count = static_cast<double>(images_.train.pixels.size());
  mean_ = static_cast<float>(sum / count / 255);
  deviation_ = static_cast<float>(std::sqrt(squares / count - sum / count * (sum / count)) / 255);

  choose_objective_samples(static_cast<std::size_t>(options.objective_samples));
  const auto most = static_cast<std::size_t>(options.test_samples);
  const std::size_t tests = images_.test.count;
  test_samples_.resize(most == 0 ? tests : std::min(most, tests));
  for (std::size_t k = 0; k < test_samples_.size(); ++k)
    test_samples_[k] = static_cast<std::uint32_t>(k);
}

/// Every node gives the same share of its samples, evenly spaced, one at least.
void NetworkProblem::choose_objective_samples(std::size_t most) {
  std::size_t all = 0;
  for (const auto& samples : batches_.partition()) all += samples.size();
  const double share =
      most == 0 ? 1 : std::min(1.0, static_cast<double>(most) / static_cast<double>(all));
  for (const auto& samples : batches_.partition()) {
    const auto count = std::max<std::size_t>(
        1, static_cast<std::size_t>(share * static_cast<double>(samples.size())));
    auto& chosen = objective_samples_.emplace_back();
    for (std::size_t k = 0; k < count; ++k) chosen.push_back(samples[k * samples.size() / count]);
  }
}

/// PyTorch's usual start: uniform in +-1/sqrt(fan in).
void NetworkProblem::start(std::span<float> x) const {
  std::size_t offset = 0;
  for (std::size_t p = 0; p < model_.parameters.size(); ++p) {
    const ParameterShape& shape = model_.parameters[p];
    const double bound = 1 / std::sqrt(static_cast<double>(shape.fan_in));
    Random random(seed_, Purpose::start, static_cast<Node>(p));
    for (float& value : x.subspan(offset, static_cast<std::size_t>(shape.count())))
      value = static_cast<float>((2 * random.uniform() - 1) * bound);
    offset += static_cast<std::size_t>(shape.count());
  }
}

std::unique_ptr<Oracle> NetworkProblem::oracle() { return std::make_unique<NetworkOracle>(*this); }

std::string NetworkProblem::summary() const {
  const Images& train = images_.train;
  return fmt::format("{}: {} parameters, {} training and {} test images\n", name_, dimension(),
                     train.count, test_samples_.size()) +
         starling::summary(batches_.partition(), train.labels, train.classes);
}

NetworkOracle::NetworkOracle(NetworkProblem& problem)
    : problem_(problem), reader_(problem.batches_), spare_(problem.dimension()) {
  use_one_thread();
  const auto dimension = static_cast<std::int64_t>(problem.dimension());
  flat_x_ = look_at(spare_.data(), dimension);
  flat_g_ = look_at(spare_.data(), dimension);
  std::int64_t offset = 0;
  for (const ParameterShape& shape : problem.model_.parameters) {
    at::Tensor& parameter = parameters_.emplace_back(shape.view(flat_x_, offset).detach());
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = shape.view(flat_g_, offset);
    offset += shape.count();
  }
}

void NetworkOracle::bind(std::span<const float> x, std::span<float> g) {
  point_at(flat_x_, x.data());
  point_at(flat_g_, g.empty() ? spare_.data() : g.data());
}

NetworkOracle::Batch NetworkOracle::load(const Images& source,
                                         std::span<const std::uint32_t> samples) {
  const std::size_t size = source.pixels_per_image();
  pixels_.resize(samples.size() * size);
  labels_.resize(samples.size());
  const float scale = 1 / (255 * problem_.deviation_);
  const float shift = problem_.mean_ / problem_.deviation_;
  for (std::size_t k = 0; k < samples.size(); ++k) {
    const std::uint8_t* from = source.pixels.data() + samples[k] * size;
    float* to = pixels_.data() + k * size;
    for (std::size_t p = 0; p < size; ++p) to[p] = static_cast<float>(from[p]) * scale - shift;
    labels_[k] = source.labels[samples[k]];
  }
  const auto count = static_cast<std::int64_t>(samples.size());
  const at::Tensor images = look_at(pixels_.data(), static_cast<std::int64_t>(pixels_.size()))
                                .view({count, static_cast<std::int64_t>(source.channels),
                                       static_cast<std::int64_t>(source.rows),
                                       static_cast<std::int64_t>(source.columns)});
  return {images, at::from_blob(labels_.data(), {count}, at::TensorOptions().dtype(at::kLong))};
}

/// Sum of losses times `scale`; adds the gradient of that to the bound g if asked to.
double NetworkOracle::loss_over(std::span<const std::uint32_t> samples, double scale,
                                bool with_gradient) {
  const Batch batch = load(problem_.images_.train, samples);
  const c10::AutoGradMode mode(with_gradient);
  const at::Tensor scores = problem_.model_.forward(batch.images, parameters_);
  const at::Tensor loss =
      at::cross_entropy_loss(scores, batch.labels, {}, at::Reduction::Sum) * scale;
  if (with_gradient) loss.backward();
  return loss.item<float>();
}

float NetworkOracle::subgradient(Node node, Round round, std::span<const float> x,
                                 std::span<float> g) {
  bind(x, g);
  std::ranges::fill(g, 0.0f);
  const std::span<const std::uint32_t> samples = reader_.batch(node, round);
  return static_cast<float>(loss_over(samples, 1 / static_cast<double>(samples.size()), true));
}

double NetworkOracle::objective(Node node, std::span<const float> x, std::span<float> g) {
  bind(x, g);
  std::ranges::fill(g, 0.0f);
  const std::span<const std::uint32_t> samples = problem_.objective_samples_[node];
  double loss = 0;
  for (std::size_t k = 0; k < samples.size(); k += evaluation_batch)
    loss += loss_over(samples.subspan(k, std::min(evaluation_batch, samples.size() - k)),
                      1 / static_cast<double>(samples.size()), !g.empty());
  return loss;
}

std::optional<double> NetworkOracle::accuracy(std::span<const float> x) {
  bind(x, {});
  const c10::AutoGradMode no_gradient(false);
  const std::span<const std::uint32_t> samples = problem_.test_samples_;
  std::int64_t right = 0;
  for (std::size_t k = 0; k < samples.size(); k += evaluation_batch) {
    const Batch batch = load(problem_.images_.test,
                             samples.subspan(k, std::min(evaluation_batch, samples.size() - k)));
    const at::Tensor scores = problem_.model_.forward(batch.images, parameters_);
    right += scores.argmax(1).eq(batch.labels).sum().item<std::int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(samples.size());
}

}  // namespace

std::unique_ptr<Problem> NeuralNetwork::make(std::size_t nodes, std::uint64_t seed) const {
  ImageSet images = load_image_set(dataset, path);
  const Images& train = images.train;
  const ImageShape shape{static_cast<std::int64_t>(train.channels),
                         static_cast<std::int64_t>(train.rows),
                         static_cast<std::int64_t>(train.columns)};
  if (model == "cnn" && std::min(shape.rows, shape.columns) < 8)
    throw UserError{
        fmt::format("problem.model = \"cnn\": needs images of 8 x 8 at least, these "
                    "are {} x {}",
                    shape.rows, shape.columns)};
  Model architecture =
      model == "mlp" ? make_mlp(shape, train.classes) : make_cnn(shape, train.classes);
  Batches batches(partition(train.labels, train.classes, nodes, seed),
                  static_cast<std::size_t>(batch), sampling == "reshuffle", seed);
  return std::make_unique<NetworkProblem>(std::move(images), std::move(architecture),
                                          std::move(batches), *this, seed);
}

}  // namespace starling
