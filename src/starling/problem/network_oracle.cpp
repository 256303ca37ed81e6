#include "starling/problem/network_oracle.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include <ATen/Parallel.h>

#include "starling/problem/model.hpp"

namespace starling {
namespace {

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

class NetworkOracle final : public Oracle {
 public:
  explicit NetworkOracle(const NetworkData& data);
  float subgradient(Node node, Round round, std::span<const float> x, std::span<float> g) override {
    return partial_subgradient(node, round, x, everything(), g);
  }
  float partial_subgradient(Node node, Round round, std::span<const float> x, Part part,
                            std::span<float> g) override;
  double objective(Node node, std::span<const float> x, std::span<float> g) override;
  std::optional<double> accuracy(std::span<const float> x) override;

 private:
  struct Batch {
    at::Tensor images, labels;
  };
  Part everything() const { return {0, data_.dimension}; }
  Batch load(const Images& source, std::span<const std::uint32_t> samples);
  at::Tensor scores(const at::Tensor& images) { return forward_(images, parameters_, norms_); }
  double loss_over(std::span<const std::uint32_t> samples, double scale, bool with_gradient);
  void settle_norms(std::span<const float> x);
  void bind(std::span<const float> x, std::span<float> g);
  void want(Part part, std::span<float> g);

  const NetworkData& data_;
  Forward forward_;
  BatchReader reader_;
  BatchNorms norms_;
  std::vector<float> norms_at_;  ///< the x that norms_ were collected at; empty before
  std::vector<float> pixels_;
  std::vector<std::int64_t> labels_;
  std::vector<float> spare_;            ///< what the flat tensors look at before the first call
  at::Tensor flat_x_, flat_g_;          ///< look at a node's x and g
  std::vector<at::Tensor> parameters_;  ///< views of flat_x_, with gradients in flat_g_
};

NetworkOracle::NetworkOracle(const NetworkData& data)
    : data_(data),
      forward_(forward_of(data.architecture.name)),
      reader_(data.batches),
      spare_(data.dimension) {
  use_one_thread();
  flat_x_ = look_at(spare_.data(), static_cast<std::int64_t>(data.dimension));
  flat_g_ = look_at(spare_.data(), static_cast<std::int64_t>(data.dimension));
  std::int64_t offset = 0;
  for (const ParameterShape& shape : data.parameters) {
    at::Tensor& parameter = parameters_.emplace_back(view_of(shape, flat_x_, offset).detach());
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = view_of(shape, flat_g_, offset);
    offset += shape.count();
  }
}

void NetworkOracle::bind(std::span<const float> x, std::span<float> g) {
  point_at(flat_x_, x.data());
  point_at(flat_g_, g.empty() ? spare_.data() : g.data());
}

/// From now on libtorch computes gradients of the tensors that meet the part, and goes back no
/// further than to the first of them. It adds, so their coordinates of g become 0.
void NetworkOracle::want(Part part, std::span<float> g) {
  std::size_t first = 0;
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    const auto count = static_cast<std::size_t>(data_.parameters[p].count());
    const bool meets =
        part.count > 0 && part.first < first + count && first < part.first + part.count;
    parameters_[p].set_requires_grad(meets);
    if (meets) std::ranges::fill(g.subspan(first, count), 0.0f);
    first += count;
  }
}

NetworkOracle::Batch NetworkOracle::load(const Images& source,
                                         std::span<const std::uint32_t> samples) {
  const std::size_t size = source.pixels_per_image(), plane = size / source.channels;
  pixels_.resize(samples.size() * size);
  labels_.resize(samples.size());
  for (std::size_t k = 0; k < samples.size(); ++k) {
    const std::uint8_t* from = source.pixels.data() + samples[k] * size;
    float* to = pixels_.data() + k * size;
    for (const auto [scale, shift] : data_.scales) {
      for (std::size_t p = 0; p < plane; ++p) to[p] = static_cast<float>(from[p]) * scale - shift;
      from += plane;
      to += plane;
    }
    labels_[k] = source.labels[samples[k]];
  }
  const auto count = static_cast<std::int64_t>(samples.size());
  const at::Tensor images = look_at(pixels_.data(), static_cast<std::int64_t>(pixels_.size()))
                                .view({count, static_cast<std::int64_t>(source.channels),
                                       static_cast<std::int64_t>(source.rows),
                                       static_cast<std::int64_t>(source.columns)});
  return {images, at::from_blob(labels_.data(), {count}, at::TensorOptions().dtype(at::kLong))};
}

/// Sum of losses times `scale`; adds the wanted part of its gradient to the bound g if asked to.
double NetworkOracle::loss_over(std::span<const std::uint32_t> samples, double scale,
                                bool with_gradient) {
  const Batch batch = load(data_.images.train, samples);
  const c10::AutoGradMode mode(with_gradient);
  const at::Tensor loss =
      at::cross_entropy_loss(scores(batch.images), batch.labels, {}, at::Reduction::Sum) * scale;
  if (loss.requires_grad()) loss.backward();  // it does not where no tensor is wanted
  return loss.item<float>();
}

/// Sets the statistics of BatchNorm layers to what they are at x. They are remembered: engines ask
/// for the losses of all nodes at one x.
void NetworkOracle::settle_norms(std::span<const float> x) {
  if (!data_.architecture.has_norms) return;
  if (norms_at_.size() != x.size() ||
      std::memcmp(norms_at_.data(), x.data(), x.size_bytes()) != 0) {
    const c10::AutoGradMode no_gradient(false);
    bind(x, {});
    norms_at_.clear();
    norms_.collect();
    for (const std::vector<std::uint32_t>& samples : data_.norm_batches)
      scores(load(data_.images.train, samples).images);
    norms_at_.assign(x.begin(), x.end());
  }
  norms_.use_collected();
}

float NetworkOracle::partial_subgradient(Node node, Round round, std::span<const float> x,
                                         Part part, std::span<float> g) {
  bind(x, g);
  want(part, g);
  norms_.use_batch();
  const std::span<const std::uint32_t> samples = reader_.batch(node, round);
  return static_cast<float>(loss_over(samples, 1 / static_cast<double>(samples.size()), true));
}

double NetworkOracle::objective(Node node, std::span<const float> x, std::span<float> g) {
  settle_norms(x);
  bind(x, g);
  if (!g.empty()) want(everything(), g);
  const std::span<const std::uint32_t> samples = data_.objective_samples[node];
  const std::size_t most = data_.architecture.evaluation_batch;
  double loss = 0;
  for (std::size_t k = 0; k < samples.size(); k += most)
    loss += loss_over(samples.subspan(k, std::min(most, samples.size() - k)),
                      1 / static_cast<double>(samples.size()), !g.empty());
  return loss;
}

std::optional<double> NetworkOracle::accuracy(std::span<const float> x) {
  settle_norms(x);
  bind(x, {});
  const c10::AutoGradMode no_gradient(false);
  const std::span<const std::uint32_t> samples = data_.test_samples;
  const std::size_t most = data_.architecture.evaluation_batch;
  std::int64_t right = 0;
  for (std::size_t k = 0; k < samples.size(); k += most) {
    const Batch batch =
        load(data_.images.test, samples.subspan(k, std::min(most, samples.size() - k)));
    right += scores(batch.images).argmax(1).eq(batch.labels).sum().item<std::int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(samples.size());
}

}  // namespace

std::unique_ptr<Oracle> make_network_oracle(const NetworkData& data) {
  return std::make_unique<NetworkOracle>(data);
}

}  // namespace starling
