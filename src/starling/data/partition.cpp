#include "starling/data/partition.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "starling/base/error.hpp"
#include "starling/base/random.hpp"

namespace starling {
namespace {

using Samples = std::vector<std::uint32_t>;
using Labels = std::span<const std::uint8_t>;

void check_nodes(std::size_t samples, std::size_t nodes) {
  assert(nodes > 0 && samples <= std::numeric_limits<std::uint32_t>::max());
  if (nodes > samples)
    throw UserError(fmt::format("problem.partition: {} nodes for {} samples (allowed: at most {})",
                                nodes, samples, samples));
}

Samples shuffled(std::size_t count, Random& random) {
  Samples order(count);
  std::iota(order.begin(), order.end(), 0u);
  random.shuffle(std::span(order));
  return order;
}

/// The samples of each label, ascending.
std::vector<Samples> by_label(Labels labels, int classes) {
  std::vector<Samples> samples(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    assert(labels[i] < classes);
    samples[labels[i]].push_back(static_cast<std::uint32_t>(i));
  }
  return samples;
}

/// Gives the samples order[from] ... order[to - 1] to a node.
void give(const Samples& order, std::size_t from, std::size_t to, Samples& node) {
  const auto part = std::span(order).subspan(from, to - from);
  node.insert(node.end(), part.begin(), part.end());
}

/// Where part i of an even split begins; parts differ by at most one.
std::size_t even_cut(std::size_t i, std::size_t total, std::size_t parts) {
  return i * total / parts;
}

void sort_each(Partition& partition) {
  for (Samples& samples : partition) std::sort(samples.begin(), samples.end());
}

/// The logarithm of a gamma variate of shape `alpha` (Marsaglia & Tsang, ACM TOMS 26(3), 2000). The
/// logarithm, because for small shapes the variate itself underflows.
double log_gamma_variate(double alpha, Random& random) {
  if (alpha < 1) {
    const double boost = std::log(1 - random.uniform()) / alpha;
    return log_gamma_variate(alpha + 1, random) +
           std::max(boost, std::numeric_limits<double>::lowest() / 2);
  }
  const double d = alpha - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), root = 1 + c * x;
    const double u = 1 - random.uniform();
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

/// Proportions drawn from the symmetric Dirichlet distribution; they sum to 1.
std::vector<double> dirichlet(double alpha, std::size_t parts, Random& random) {
  std::vector<double> shares(parts);
  for (double& share : shares) share = log_gamma_variate(alpha, random);
  const double largest = *std::max_element(shares.begin(), shares.end());
  for (double& share : shares) share = std::exp(share - largest);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

/// Gives each node without samples a random one of the node with most.
void feed_empty(Partition& partition, Random& random) {
  for (Samples& empty : partition) {
    if (!empty.empty()) continue;
    Samples& most =
        *std::max_element(partition.begin(), partition.end(),
                          [](const Samples& a, const Samples& b) { return a.size() < b.size(); });
    std::swap(most[random.below(static_cast<std::uint32_t>(most.size()))], most.back());
    empty.push_back(most.back());
    most.pop_back();
  }
}

/// Whole amounts, at least 1 each, in the proportions given: what rounding down leaves goes to the
/// largest remainders.
std::vector<std::size_t> amounts(std::size_t total, const std::vector<double>& shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<std::size_t> whole(shares.size()), order(shares.size());
  std::vector<double> remainder(shares.size());
  std::size_t left = total;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double exact = static_cast<double>(total) * (shares[i] / sum);
    whole[i] = std::min(left, static_cast<std::size_t>(exact));
    remainder[i] = exact - std::floor(exact);
    left -= whole[i];
  }
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  for (std::size_t i = 0; left > 0; ++i, --left) ++whole[order[i % order.size()]];
  for (std::size_t& amount : whole) {
    if (amount > 0) continue;
    --*std::max_element(whole.begin(), whole.end());
    amount = 1;
  }
  return whole;
}

void check_sizes(const std::vector<double>& sizes, std::size_t nodes) {
  if (sizes.size() != nodes)
    throw UserError(
        fmt::format("problem.partition.sizes: {} amounts for {} nodes (allowed: one per node)",
                    sizes.size(), nodes));
  double sum = 0;
  for (const double size : sizes) {
    sum += size;
    if (!(size > 0) || !std::isfinite(sum))
      throw UserError(fmt::format(
          "problem.partition.sizes: {} (allowed: positive amounts with a finite sum)", size));
  }
}

}  // namespace

Partition Iid::make(Labels sample_labels, int, std::size_t nodes, std::uint64_t seed) const {
  const std::size_t count = sample_labels.size();
  check_nodes(count, nodes);
  Random random(seed, Purpose::partition);
  const Samples order = shuffled(count, random);
  Partition partition(nodes);
  for (std::size_t i = 0; i < nodes; ++i)
    give(order, even_cut(i, count, nodes), even_cut(i + 1, count, nodes), partition[i]);
  sort_each(partition);
  return partition;
}

Partition ByLabels::make(Labels sample_labels, int classes, std::size_t nodes,
                         std::uint64_t seed) const {
  check_nodes(sample_labels.size(), nodes);
  if (labels > classes)
    throw UserError(fmt::format(
        "problem.partition.labels = {}: more labels a node than there are (allowed: 1 ... {})",
        labels, classes));
  assert(labels > 0);
  const auto each = static_cast<std::size_t>(labels), all = static_cast<std::size_t>(classes);
  std::vector<std::vector<std::size_t>> holders(all);
  for (std::size_t node = 0; node < nodes; ++node)
    for (std::size_t j = 0; j < each; ++j) holders[(node * each + j) % all].push_back(node);

  Random random(seed, Purpose::partition);
  Partition partition(nodes);
  std::vector<Samples> samples = by_label(sample_labels, classes);
  for (std::size_t label = 0; label < all; ++label) {
    const std::size_t count = samples[label].size(), parts = holders[label].size();
    random.shuffle(std::span(samples[label]));
    for (std::size_t i = 0; i < parts; ++i)
      give(samples[label], even_cut(i, count, parts), even_cut(i + 1, count, parts),
           partition[holders[label][i]]);
  }
  for (std::size_t node = 0; node < nodes; ++node)
    if (partition[node].empty())
      throw UserError(fmt::format(
          "problem.partition: node {} gets no sample of its labels (allowed: fewer nodes, or more "
          "labels a node)",
          node));
  sort_each(partition);
  return partition;
}

Partition Dirichlet::make(Labels sample_labels, int classes, std::size_t nodes,
                          std::uint64_t seed) const {
  check_nodes(sample_labels.size(), nodes);
  if (!alphas.contains(alpha))
    throw UserError(fmt::format("problem.partition.alpha = {}: must be above 0, at most {}", alpha,
                                alphas.high));
  Random random(seed, Purpose::partition);
  Partition partition(nodes);
  for (Samples& samples : by_label(sample_labels, classes)) {
    random.shuffle(std::span(samples));
    const std::vector<double> shares = dirichlet(alpha, nodes, random);
    const auto count = static_cast<double>(samples.size());
    double sum = 0;
    std::size_t from = 0;
    for (std::size_t node = 0; node < nodes; ++node) {
      sum = node + 1 < nodes ? std::min(1.0, sum + shares[node]) : 1.0;
      const auto to = static_cast<std::size_t>(std::round(sum * count));
      give(samples, from, to, partition[node]);
      from = to;
    }
  }
  feed_empty(partition, random);
  sort_each(partition);
  return partition;
}

Partition Sizes::make(Labels sample_labels, int, std::size_t nodes, std::uint64_t seed) const {
  check_nodes(sample_labels.size(), nodes);
  std::vector<double> shares = sizes;
  if (shares.empty()) {
    shares.resize(nodes);
    std::iota(shares.begin(), shares.end(), 1.0);
  }
  check_sizes(shares, nodes);
  Random random(seed, Purpose::partition);
  const Samples order = shuffled(sample_labels.size(), random);
  const std::vector<std::size_t> counts = amounts(order.size(), shares);
  Partition partition(nodes);
  std::size_t from = 0;
  for (std::size_t node = 0; node < nodes; ++node) {
    give(order, from, from + counts[node], partition[node]);
    from += counts[node];
  }
  sort_each(partition);
  return partition;
}

}  // namespace starling
