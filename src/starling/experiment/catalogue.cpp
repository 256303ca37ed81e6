#include "starling/experiment/catalogue.hpp"

#include "starling/graph/families.hpp"
#include "starling/method/adagrad.hpp"
#include "starling/method/adam.hpp"
#include "starling/method/amsgrad.hpp"
#include "starling/method/asynchronous_presets.hpp"
#include "starling/method/cdsgd.hpp"
#include "starling/method/cdsgd_published.hpp"
#include "starling/method/clipped_tracking.hpp"
#include "starling/method/d2.hpp"
#include "starling/method/dadam.hpp"
#include "starling/method/dgd.hpp"
#include "starling/method/dgd_clip.hpp"
#include "starling/method/dsgd_atc.hpp"
#include "starling/method/dsgd_m.hpp"
#include "starling/method/dsgd_m_local.hpp"
#include "starling/method/dsignsgd.hpp"
#include "starling/method/extra.hpp"
#include "starling/method/push_pull.hpp"
#include "starling/method/qg_dsgdm.hpp"
#include "starling/method/schedule.hpp"
#include "starling/method/sgp.hpp"
#include "starling/method/step_limits.hpp"
#include "starling/method/tracking.hpp"
#include "starling/problem/hinge.hpp"
#include "starling/problem/logistic.hpp"
#include "starling/problem/max_affine.hpp"
#include "starling/problem/penalty.hpp"
#include "starling/problem/phase_retrieval.hpp"
#include "starling/problem/quadratic.hpp"
#include "starling/problem/relu.hpp"
#include "starling/problem/robust_regression.hpp"
#ifdef STARLING_WITH_TORCH
#include "starling/problem/network.hpp"
#endif

namespace starling {
namespace {

/// Reads a T, records its options, and gives it to `rule_of`.
template <class T>
T read_object(OptionReader& reader, Table& resolved) {
  T object;
  read_options(reader, object);
  write_options(object, resolved);
  return object;
}

template <class T>
GraphRule read_graph(OptionReader& reader, Table& resolved) {
  return [family = read_object<T>(reader, resolved)](std::size_t nodes, std::uint64_t seed) {
    return family.make(nodes, seed);
  };
}

template <class T>
WeightsRule read_weights(OptionReader& reader, Table& resolved) {
  return [rule = read_object<T>(reader, resolved)](const Graph& graph) { return rule.make(graph); };
}

struct AllLinks {
  static void options(auto&, auto&&) {}
  std::unique_ptr<Links> make(const Graph&, std::uint64_t) const { return nullptr; }
};

template <class T>
LinksRule read_links(OptionReader& reader, Table& resolved) {
  return [rule = read_object<T>(reader, resolved)](const Graph& graph, std::uint64_t seed) {
    return rule.make(graph, seed);
  };
}

template <class T>
MethodRule read_method(OptionReader& reader, Table& resolved) {
  return [method = read_object<T>(reader, resolved)]() -> std::unique_ptr<RowUpdate> {
    return std::make_unique<RowUpdateOf<T>>(method);
  };
}

MethodRule read_centralized(OptionReader& reader, Table& resolved) {
  return [of = read_choice(reader, "of", methods(), "dgd", "name", resolved)] {
    std::unique_ptr<RowUpdate> update = of();
    update->average_exactly();
    return update;
  };
}

template <class T>
Asynchronous read_asynchronous(OptionReader& reader, Table& resolved) {
  return read_object<T>(reader, resolved);
}

template <class T>
DelayRule read_delays(OptionReader& reader, Table& resolved) {
  return [rule = read_object<T>(reader, resolved)](std::size_t cores, std::size_t blocks,
                                                   std::uint64_t seed) {
    return rule.make(cores, blocks, seed);
  };
}

template <class T>
ScheduleRule read_schedule(OptionReader& reader, Table& resolved) {
  const T schedule = read_object<T>(reader, resolved);
  return {[schedule](Round k, Round rounds) { return schedule.factor(k, rounds); },
          vanishes(schedule), adds_up(schedule)};
}

template <class T>
PartitionRule read_partition(OptionReader& reader, Table& resolved) {
  return [rule = read_object<T>(reader, resolved)](
             std::span<const std::uint8_t> labels, int classes, std::size_t nodes,
             std::uint64_t seed) { return rule.make(labels, classes, nodes, seed); };
}

template <class T>
ProblemRule read_problem(OptionReader& reader, Table& resolved) {
  T problem = read_object<T>(reader, resolved);
  if constexpr (requires { problem.partition; })
    problem.partition = read_choice(reader, "partition", partitions(), "iid", "by", resolved);
  const auto penalties = read_object<Penalties>(reader, resolved);
  return [problem, penalties](std::size_t nodes, std::uint64_t seed) {
    return with_penalties(problem.make(nodes, seed), penalties.l2, penalties.l1);
  };
}

template <class T>
constexpr Entry<GraphRule> graph(std::string_view name, std::string_view summary) {
  return {name, summary, describe_options<T>, read_graph<T>};
}
template <class T>
constexpr Entry<WeightsRule> rule(std::string_view name, std::string_view summary) {
  return {name, summary, describe_options<T>, read_weights<T>};
}
template <class T>
constexpr Entry<LinksRule> links(std::string_view name, std::string_view summary) {
  return {name, summary, describe_options<T>, read_links<T>};
}
/// What every [[method]] table has, then the method's own options.
std::vector<OptionInfo> with_common_options(const std::vector<OptionInfo>& own,
                                            const char* schedule = "\"constant\"") {
  std::vector<OptionInfo> list{
      {"step", "number", "none", "> 0", "step size"},
      {"schedule", "choice", schedule, "one of `starling list schedules`",
       "how the step size changes from round to round"},
      {"label", "text", "the method's name", "", "its name in tables and files"}};
  list.insert(list.end(), own.begin(), own.end());
  return list;
}
template <class T>
std::vector<OptionInfo> describe_method() {
  return with_common_options(describe_options<T>());
}
std::vector<OptionInfo> describe_centralized() {
  return with_common_options({{"of", "choice", "\"dgd\"", "one of `starling list methods`",
                               "the method, with its options, that is run with exact averages"}});
}
template <class T>
constexpr Entry<MethodRule> method(std::string_view name, std::string_view summary) {
  return {name, summary, describe_method<T>, read_method<T>};
}
template <class T>
std::vector<OptionInfo> describe_asynchronous() {
  return with_common_options(describe_options<T>(), "\"sqrt\"");
}
template <class T>
constexpr Entry<Asynchronous> asynchronous(std::string_view name, std::string_view summary) {
  return {name, summary, describe_asynchronous<T>, read_asynchronous<T>};
}
template <class T>
constexpr Entry<DelayRule> delays(std::string_view name, std::string_view summary) {
  return {name, summary, describe_options<T>, read_delays<T>};
}
template <class T>
constexpr Entry<ScheduleRule> schedule(std::string_view name, std::string_view summary) {
  return {name, summary, describe_options<T>, read_schedule<T>};
}
template <class T>
std::vector<OptionInfo> describe_problem() {
  std::vector<OptionInfo> list = describe_options<T>();
  if constexpr (requires(T problem) { problem.partition; })
    list.push_back({"partition", "choice", "\"iid\"", "one of `starling list partitions`",
                    "how the samples are split over the nodes"});
  for (OptionInfo& option : describe_options<Penalties>()) list.push_back(std::move(option));
  return list;
}
template <class T>
constexpr Entry<ProblemRule> problem(std::string_view name, std::string_view summary) {
  return {name, summary, describe_problem<T>, read_problem<T>};
}
template <class T>
constexpr Entry<PartitionRule> split(std::string_view name, std::string_view summary) {
  return {name, summary, describe_options<T>, read_partition<T>};
}

constexpr Entry<GraphRule> graph_entries[] = {
    graph<Path>("path", "node i is linked to i+1"),
    graph<Ring>("ring", "a closed path"),
    graph<Star>("star", "node 0 is linked to all others"),
    graph<Complete>("complete", "everybody is linked to everybody"),
    graph<Grid>("grid", "a rectangle of nodes"),
    graph<Torus>("torus", "a grid with opposite sides joined"),
    graph<Hypercube>("hypercube", "linked where node numbers differ in one binary digit"),
    graph<Exponential>("exponential", "i is linked to i +- 1, 2, 4, ... (mod N)"),
    graph<ErdosRenyi>("erdos-renyi", "each pair by chance, drawn until connected"),
    graph<RandomRegular>("random-regular", "random, the same degree everywhere"),
    graph<WattsStrogatz>("watts-strogatz", "small world: a ring with some edges rewired"),
    graph<BarabasiAlbert>("barabasi-albert", "scale-free: new nodes attach to well linked ones"),
    graph<DirectedRing>("directed-ring", "i tells i+1 (mod N)"),
    graph<DirectedExponential>("directed-exponential", "i tells i + 1, 2, 4, ... (mod N)"),
    graph<RandomDigraph>("random-digraph", "a random directed circle and random edges"),
    graph<BoWang>("bo-wang", "the directed graph of five nodes of arXiv 2601.03566"),
    graph<GraphFile>("file", "an edge list or GraphML file"),
};

constexpr Entry<WeightsRule> weights_entries[] = {
    rule<Uniform>("uniform", "equal shares over the closed neighbourhood; R and C where directed"),
    rule<Metropolis>("metropolis", "1/(1 + larger degree) an edge: doubly stochastic everywhere"),
    rule<MaxDegree>("max-degree", "1/(largest degree) an edge"),
    rule<Lazy>("lazy", "gamma I + (1 - gamma) W of another rule"),
    rule<BoWangWeights>("bo-wang", "the doubly stochastic matrix for graph bo-wang"),
    rule<WeightsFile>("file", "Matrix Market files"),
};

constexpr Entry<LinksRule> links_entries[] = {
    links<AllLinks>("all", "every link in every round"),
    links<OnePeer>("one-peer", "each node tells one neighbour, the next in turn"),
    links<Matchings>("matchings", "a random matching: each node talks to one neighbour at most"),
    links<RandomEdges>("random-edges", "each edge by chance"),
    links<LinkFiles>("files", "edge lists in turn"),
};

constexpr Entry<MethodRule> method_entries[] = {
    method<Dgd>("dgd", "decentralized subgradient descent, combine then adapt (D-PSGD)"),
    method<Dgd>("dsgd", "the same, by its name in Zhang et al."),
    method<DsgdAtc>("dsgd-atc", "decentralized subgradient descent, adapt then combine"),
    method<DsgdM>("dsgd-m", "DSGD with momentum, mixed as well (Zhang et al.)"),
    method<DsgdT>("dsgd-t", "DSGD with gradient tracking (Zhang et al.)"),
    method<Dsignsgd>("dsignsgd", "along the sign of a mixed momentum (Zhang et al.)"),
    method<Amsgrad>("amsgrad", "decentralized AMSGrad (Chen et al., Algorithm 3)"),
    method<Adagrad>("adagrad", "decentralized AdaGrad (Chen et al., Algorithm 4)"),
    method<Adam>("adam", "decentralized Adam (Chen et al., Algorithm 2 with Adam's rule)"),
    method<Dadam>("dadam", "DADAM (Chen et al., Algorithm 1): may settle off the optimum"),
    method<ClippedTracking>("clipped-tracking",
                            "clipped gradient tracking, directed graphs (Bo & Wang, Algorithm 1)"),
    method<ClippedTrackingAtc>("clipped-tracking-atc", "the same in push-pull's order"),
    method<Dgt>("dgt", "gradient tracking on directed graphs, unclipped (Xin & Khan's AB)"),
    method<Dgt>("push-pull-cta", "the same: push-pull, combine then adapt"),
    method<PushPull>("push-pull", "gradient tracking on directed graphs, adapt then combine"),
    method<DgdClip>("dgd-clip", "DGD with clipped subgradients"),
    method<Cdsgd>("cdsgd", "DGD by its name in Jiang et al."),
    method<CdsgdP>("cdsgd-p", "CDSGD with Polyak's momentum (Jiang et al.'s code)"),
    method<CdsgdPPublished>("cdsgd-p-published", "the same as printed"),
    method<CdsgdN>("cdsgd-n", "CDSGD with Nesterov's momentum (Jiang et al.'s code)"),
    method<CdsgdNTextbook>("cdsgd-n-textbook", "the same, sampled at the point looked ahead to"),
    method<Sgp>("sgp", "stochastic gradient push: push-sum on directed graphs"),
    method<D2>("d2", "D^2: exact with different losses, as EXTRA and gradient tracking"),
    method<Extra>("extra", "EXTRA: exact with a constant step"),
    method<DsgdMLocal>("dsgd-m-local", "DSGD with a momentum that stays with its node"),
    method<QgDsgdm>("qg-dsgdm", "DSGD with quasi-global momentum"),
    method<LocalSgd>("local-sgd", "an exchange every few rounds"),
    {"centralized", "any method with exact averages over all nodes: a baseline",
     describe_centralized, read_centralized},
};

constexpr Entry<Asynchronous> asynchronous_entries[] = {
    asynchronous<Sgd>("sgd", "one core: stochastic subgradient descent with momentum"),
    asynchronous<Hogwild>("hogwild", "cores update all of x, nothing is locked"),
    asynchronous<Assm>("assm", "cores update all of x: reads are free, writes locked"),
    asynchronous<AssmConsistent>("assm-consistent", "the same, reads locked as well"),
    asynchronous<Passm>("passm", "every core updates a block of its own, nothing is locked"),
    asynchronous<PassmLocked>("passm-locked", "the same, blocks read and written as a whole"),
};

constexpr Entry<DelayRule> delay_entries[] = {
    delays<FixedDelay>("fixed", "the same delay for every block"),
    delays<UniformDelay>("uniform", "any delay up to a bound, each equally likely"),
    delays<GeometricDelay>("geometric", "long delays are rare"),
    delays<CoreSpeeds>("speeds", "delays follow from the speeds of the cores"),
    delays<TracedDelays>("trace", "what engine \"threads\" has recorded"),
};

constexpr Entry<ScheduleRule> schedule_entries[] = {
    schedule<Constant>("constant", "step"),
    schedule<InverseSqrt>("sqrt", "step / sqrt(k)"),
    schedule<Power>("power", "step / k^p"),
    schedule<Cosine>("cosine", "half a cosine down to final * step"),
    schedule<Staircase>("staircase", "times `by` every so many rounds"),
};

constexpr Entry<ProblemRule> problem_entries[] = {
    problem<Quadratic>("quadratic", "0.5 (x - a_i)'A_i(x - a_i), given or random"),
    problem<Logistic>("logistic", "binary logistic regression on a LIBSVM file"),
    problem<Hinge>("hinge", "linear support vector machine, nonsmooth"),
    problem<RobustRegression>("robust-regression", "least absolute deviations, nonsmooth"),
    problem<MaxAffine>("max-affine", "the largest of some affine functions, nonsmooth"),
    problem<PhaseRetrieval>("phase-retrieval", "|<a,x>^2 - b|, nonsmooth and nonconvex"),
    problem<Relu>("relu", "a small ReLU network with a known minimiser"),
#ifdef STARLING_WITH_TORCH
    problem<NeuralNetwork>("network", "a neural network on images"),
#endif
};

constexpr Entry<PartitionRule> partition_entries[] = {
    split<Iid>("iid", "random, the same number for each node"),
    split<ByLabels>("labels", "each node holds a few labels only (Chen et al.)"),
    split<Dirichlet>("dirichlet", "each label in random proportions"),
    split<Sizes>("sizes", "random, in different numbers"),
};

}  // namespace

std::span<const Entry<GraphRule>> graphs() { return graph_entries; }
std::span<const Entry<WeightsRule>> weights_rules() { return weights_entries; }
std::span<const Entry<LinksRule>> links_rules() { return links_entries; }
std::span<const Entry<MethodRule>> methods() { return method_entries; }
std::span<const Entry<Asynchronous>> asynchronous_methods() { return asynchronous_entries; }
std::span<const Entry<DelayRule>> delay_rules() { return delay_entries; }
std::span<const Entry<ScheduleRule>> schedules() { return schedule_entries; }
std::span<const Entry<ProblemRule>> problems() { return problem_entries; }
std::span<const Entry<PartitionRule>> partitions() { return partition_entries; }

}  // namespace starling
