/// Experiment files: defaults, errors, the resolved file, length, fitness of weights.
#include "starling/experiment/experiment.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "starling/experiment/toml.hpp"
#include "starling/graph/families.hpp"
#include "starling/method/tracking.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

const std::string small =
    "rounds = 100\n"
    "\n"
    "[network]\n"
    "nodes = 4\n"
    "\n"
    "[problem]\n"
    "name = \"quadratic\"\n"
    "\n"
    "[[method]]\n"
    "name = \"dgd\"\n"
    "step = 0.1\n";

const std::string logistic =
    "epochs = 2\n"
    "[network]\n"
    "nodes = 2\n"
    "[problem]\n"
    "name = \"logistic\"\n"
    "path = \"data.svm\"\n"
    "batch = 3\n"
    "partition = \"labels\"\n"
    "[[method]]\n"
    "name = \"dgd\"\n"
    "step = 0.1\n";

/// `text` with the first `from` replaced, which must be there.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no " + from);
  return text.replace(at, from.size(), to);
}

Experiment read_text(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const TempFolder folder;
  return read_experiment(folder.write("small.toml", text), overrides);
}

std::string error_about(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return user_error_of([&] { read_text(text, overrides); });
}

std::string document_of(const Experiment& experiment) {
  return to_toml_document(experiment.resolved);
}

TEST(ExperimentTest, TakesDefaultsForWhatIsNotGiven) {
  const Experiment experiment = read_text(small);
  EXPECT_EQ(experiment.title, "small");
  EXPECT_EQ(experiment.seed, 1u);
  EXPECT_EQ(experiment.rounds, 100u);
  EXPECT_EQ(experiment.epochs, 0.0);
  EXPECT_EQ(experiment.network.nodes, 4u);
  EXPECT_EQ(experiment.network.seed, 1u);
  EXPECT_EQ(experiment.every, 5u);  // twenty rows
  EXPECT_TRUE(experiment.measures.gradient_norm);
  EXPECT_TRUE(experiment.measures.node_accuracy);
  ASSERT_EQ(experiment.methods.size(), 1u);
  EXPECT_EQ(experiment.methods[0].label, "dgd");
  EXPECT_EQ(experiment.methods[0].step, 0.1);
  EXPECT_EQ(experiment.methods[0].schedule(50, 100), 1.0);
  const Network network = experiment.network.make();
  EXPECT_EQ(network.graph.edges(), 4u);  // a ring
  MixingWeights weights;
  network.weights->weights(1, weights);
  EXPECT_DOUBLE_EQ(weights.pull.row(0).values[0], 1.0 / 3);
}

TEST(ExperimentTest, TheResolvedFileHasTheDefaults) {
  EXPECT_EQ(document_of(read_text(with(small, "dgd", "amsgrad"))),
            "title = \"small\"\n"
            "seed = 1\n"
            "rounds = 100\n"
            "\n[network]\n"
            "nodes = 4\n"
            "graph = \"ring\"\n"
            "weights = \"metropolis\"\n"
            "links = \"all\"\n"
            "drop = 0.0\n"
            "\n[problem]\n"
            "name = \"quadratic\"\n"
            "dimension = 10\n"
            "curvature_min = 0.5\n"
            "curvature_max = 2.0\n"
            "spread = 1.0\n"
            "rotated = false\n"
            "centers = []\n"
            "curvatures = []\n"
            "matrices = []\n"
            "start = []\n"
            "l2 = 0.0\n"
            "l1 = 0.0\n"
            "\n[[method]]\n"
            "name = \"amsgrad\"\n"
            "label = \"amsgrad\"\n"
            "step = 0.1\n"
            "schedule = \"constant\"\n"
            "beta1 = 0.9\n"
            "beta2 = 0.999\n"
            "epsilon = 1e-06\n"
            "\n[record]\n"
            "every = 5\n"
            "gradient_norm = true\n"
            "node_accuracy = true\n"
            "stationarity = 0.0\n"
            "\n[engine]\n"
            "name = \"auto\"\n"
            "exchange = \"auto\"\n"
            "placement = \"blocks\"\n"
            "timeout = 60.0\n");
}

TEST(ExperimentTest, TakesWhatIsGiven) {
  const Experiment experiment =
      read_text("title = \"A title\"\nseed = 7\n" +
                with(small, "step = 0.1", "step = 0.5\nlabel = \"mine\"") +
                "schedule = \"sqrt\"\n[record]\nevery = 9\ngradient_norm = false\n");
  EXPECT_EQ(experiment.title, "A title");
  EXPECT_EQ(experiment.seed, 7u);
  EXPECT_EQ(experiment.network.seed, 7u);
  EXPECT_EQ(experiment.methods[0].label, "mine");
  EXPECT_EQ(experiment.methods[0].schedule(4, 100), 0.5);
  EXPECT_EQ(experiment.every, 9u);
  EXPECT_FALSE(experiment.measures.gradient_norm);
}

TEST(ExperimentTest, EvaluatesAtLeastEveryRoundOfAShortRun) {
  EXPECT_EQ(read_text(with(small, "100", "7")).every, 1u);
  EXPECT_EQ(read_text(with(small, "rounds = 100", "epochs = 3")).every, 50u);
}

TEST(ExperimentTest, MissingTablesAndKeysAreNamed) {
  EXPECT_TRUE(says(error_about(with(small, "[network]\nnodes = 4\n", "")), "network: missing"));
  EXPECT_TRUE(says(error_about(with(small, "nodes = 4\n", "")), "network.nodes: missing"));
  EXPECT_TRUE(
      says(error_about(with(small, "[problem]\nname = \"quadratic\"\n", "")), "problem: missing"));
  EXPECT_TRUE(
      says(error_about(with(small, "name = \"quadratic\"\n", "")), "problem.name: missing"));
  EXPECT_TRUE(says(error_about(with(small, "[[method]]\nname = \"dgd\"\nstep = 0.1\n", "")),
                   "method: missing"));
  EXPECT_TRUE(says(error_about(with(small, "name = \"dgd\"\n", "")), "method.name: missing"));
  EXPECT_TRUE(says(error_about(with(small, "step = 0.1\n", "")), "method.step: missing"));
  EXPECT_TRUE(says(
      error_about("method = []\n" + with(small, "[[method]]\nname = \"dgd\"\nstep = 0.1\n", "")),
      "method: is empty"));
}

TEST(ExperimentTest, AnUnknownKeyIsNamedWithItsLineAndTheNearest) {
  EXPECT_TRUE(says(error_about("seeds = 1\n" + small),
                   "small.toml:1: seeds: unknown key (did you mean \"seed\"?)"));
  EXPECT_TRUE(says(error_about(with(small, "nodes = 4", "nodes = 4\ngraf = \"ring\"")),
                   "small.toml:5: network.graf: unknown key (did you mean \"graph\"?)"));
  EXPECT_TRUE(says(error_about(small + "schedul = \"sqrt\"\n"),
                   "small.toml:12: method.schedul: unknown key (did you mean \"schedule\"?)"));
  EXPECT_TRUE(says(error_about(small + "[record]\nevry = 2\n"),
                   "small.toml:13: record.evry: unknown key (did you mean \"every\"?)"));
  EXPECT_TRUE(says(error_about(with(small, "quadratic\"", "quadratic\"\ndimensions = 3")),
                   "small.toml:8: problem.dimensions: unknown key (did you mean \"dimension\"?)"));
  EXPECT_TRUE(
      says(error_about(with(small, "nodes = 4",
                            "nodes = 4\ngraph = { name = \"erdos-renyi\", probabilty = 0.2 }")),
           "network.graph.probabilty: unknown key (did you mean \"probability\"?)"));
}

TEST(ExperimentTest, ListsEachAllowedKeyOnce) {
  const std::string error = error_about(small + "temperature = 1\n");
  EXPECT_TRUE(says(error, "(allowed: name, label, step, schedule)"));
}

TEST(ExperimentTest, AnUnknownNameIsNamedWithTheNearest) {
  const auto with_network = [](const std::string& line) {
    return with(small, "nodes = 4", "nodes = 4\n" + line);
  };
  EXPECT_TRUE(says(error_about(with_network("graph = \"rong\"")),
                   "small.toml:5: network.graph = \"rong\": unknown (did you mean \"ring\"?)"));
  EXPECT_TRUE(says(error_about(with_network("graph = { name = \"rong\" }")),
                   "network.graph.name = \"rong\": unknown (did you mean \"ring\"?)"));
  EXPECT_TRUE(says(error_about(with_network("weights = \"metropoli\"")),
                   "network.weights = \"metropoli\": unknown (did you mean \"metropolis\"?)"));
  EXPECT_TRUE(says(error_about(with(small, "\"quadratic\"", "\"quadratc\"")),
                   "small.toml:7: problem.name = \"quadratc\": unknown (did you mean \"quadratic"));
  EXPECT_TRUE(says(error_about(with(small, "\"dgd\"", "\"amsgra\"")),
                   "small.toml:10: method.name = \"amsgra\": unknown (did you mean \"amsgrad\"?)"));
  EXPECT_TRUE(says(error_about(small + "schedule = \"cosin\"\n"),
                   "method.schedule = \"cosin\": unknown (did you mean \"cosine\"?)"));
  EXPECT_TRUE(says(error_about(with(logistic, "\"labels\"", "\"dirichlt\"")),
                   "problem.partition = \"dirichlt\": unknown (did you mean \"dirichlet\"?)"));
  EXPECT_TRUE(says(error_about(with(logistic, "\"labels\"", "{ by = \"dirichlt\" }")),
                   "problem.partition.by = \"dirichlt\": unknown (did you mean \"dirichlet\"?)"));
  EXPECT_TRUE(says(error_about(with_network("graph = \"nothing-like-it\"")), "(allowed: path, "));
}

TEST(ExperimentTest, AnErrorStaysOneLineWhateverTheNameHolds) {
  EXPECT_TRUE(says(error_about(with(small, "\"dgd\"", "\"no\\nname\"")), "method.name"));
}

TEST(ExperimentTest, RunsForRoundsOrEpochsNotBoth) {
  EXPECT_TRUE(says(error_about("epochs = 2\n" + small), "give either rounds or epochs"));
  EXPECT_TRUE(says(error_about(with(small, "rounds = 100\n", "")), "give either rounds or epochs"));
}

TEST(ExperimentTest, AWrongTypeSaysWhatIsWanted) {
  EXPECT_TRUE(says(error_about(with(small, "nodes = 4", "nodes = \"four\"")),
                   "small.toml:4: network.nodes = \"four\": must be a whole number, not text"));
  EXPECT_TRUE(
      says(error_about(with(small, "0.1", "true")), "method.step = true: must be a number"));
  EXPECT_TRUE(says(error_about(with(small, "nodes = 4", "nodes = 4\ngraph = 3")),
                   "network.graph = 3: must be text, not whole number"));
  EXPECT_TRUE(says(error_about("network = 3\n" + with(small, "[network]\nnodes = 4\n", "")),
                   "small.toml:1: network: must be a table, [network]"));
  EXPECT_TRUE(says(
      error_about("method = 3\n" + with(small, "[[method]]\nname = \"dgd\"\nstep = 0.1\n", "")),
      "small.toml:1: method: must be a [[method]] table"));
}

TEST(ExperimentTest, OutOfRangeSaysTheRange) {
  EXPECT_TRUE(says(error_about(with(small, "100", "0")), "small.toml:1: rounds = 0: must be >= 1"));
  EXPECT_TRUE(says(error_about(with(small, "0.1", "0")), "method.step = 0: must be > 0"));
  EXPECT_TRUE(says(error_about(with(small, "nodes = 4", "nodes = 0")),
                   "network.nodes = 0: must be in [1, 10000000]"));
  EXPECT_TRUE(says(error_about("seed = -1\n" + small), "seed = -1: must be >= 0"));
  EXPECT_TRUE(says(error_about(small + "schedule = { name = \"power\", p = 2 }\n"),
                   "method.schedule.p = 2: must be in (0, 1]"));
}

TEST(ExperimentTest, OverridesComeBeforeTheFile) {
  const Experiment experiment =
      read_text(small, {"rounds=10", "method.step=0.5", "network.graph=star", "seed=3"});
  EXPECT_EQ(experiment.rounds, 10u);
  EXPECT_EQ(experiment.methods[0].step, 0.5);
  EXPECT_EQ(experiment.network.seed, 3u);
  EXPECT_EQ(experiment.network.make().graph.edges(), 3u);
  EXPECT_TRUE(says(error_about(small, {"method.step=0"}), "--set: method.step = 0: must be > 0"));
}

TEST(ExperimentTest, OverridesReachTheOptionsOfAPartitionGivenByName) {
  const Experiment experiment = read_text(logistic, {"problem.partition.labels=1"});
  EXPECT_NE(document_of(experiment).find("partition = { by = \"labels\", labels = 1 }"),
            std::string::npos);
}

TEST(ExperimentTest, LabelsAreUnique) {
  const std::string again = "[[method]]\nname = \"dgd\"\nstep = 0.2\n";
  const Experiment experiment =
      read_text(small + again + again + "label = \"dgd-2\"\n" + again + "label = \"other\"\n");
  ASSERT_EQ(experiment.methods.size(), 4u);
  EXPECT_EQ(experiment.methods[0].label, "dgd");
  EXPECT_EQ(experiment.methods[1].label, "dgd-2");
  EXPECT_EQ(experiment.methods[3].label, "other");
  std::set<std::string> labels;
  for (const MethodPlan& plan : experiment.methods) {
    labels.insert(plan.label);
    EXPECT_NE(document_of(experiment).find("label = \"" + plan.label + "\"\n"), std::string::npos);
  }
  EXPECT_EQ(labels.size(), 4u);
}

TEST(ExperimentTest, ALabelThatIsNoFileNameIsRefused) {
  // A method's checkpoint is called after its label.
  EXPECT_NE(error_about(small + "label = \"a/b\"\n"), "");
  EXPECT_NE(error_about(small + "label = \"\"\n"), "");
}

TEST(ExperimentTest, TheResolvedFileResolvesToItself) {
  const std::string nested = with(small, "nodes = 4",
                                  "nodes = 4\n"
                                  "graph = { name = \"erdos-renyi\", probability = 0.6 }\n"
                                  "weights = { name = \"lazy\", gamma = 0.25 }") +
                             "schedule = { name = \"power\", p = 0.6 }\n"
                             "[[method]]\n"
                             "name = \"amsgrad\"\n"
                             "step = 1e-3\n"
                             "beta2 = 0.99\n"
                             "schedule = { name = \"staircase\", every = 10 }\n"
                             "[[method]]\n"
                             "name = \"dgd\"\n"
                             "step = 0.3\n";
  for (const std::string& text :
       {nested, logistic, with(logistic, "\"labels\"", "{ by = \"dirichlet\", alpha = 0.1 }"),
        with(logistic, "\"labels\"", "{ by = \"sizes\", sizes = [1, 2.5] }")}) {
    const std::string once = document_of(read_text(text));
    EXPECT_EQ(document_of(read_text(once)), once);
  }
  const std::string document = document_of(read_text(nested));
  EXPECT_NE(document.find("graph = { name = \"erdos-renyi\", probability = 0.6 }\n"),
            std::string::npos);
  EXPECT_NE(document.find("weights = { name = \"lazy\", of = \"metropolis\", gamma = 0.25 }\n"),
            std::string::npos);
  EXPECT_NE(document.find("schedule = { name = \"staircase\", by = 0.1, every = 10 }\n"),
            std::string::npos);
  EXPECT_NE(document.find("beta2 = 0.99\n"), std::string::npos);
}

/// The rounds of an experiment on twelve samples, two nodes with six each, three a round.
Round rounds_of(const std::string& length) {
  const TempFolder folder;
  std::string rows;
  for (int k = 0; k < 6; ++k) rows += "1 1:1\n-1 1:2\n";
  const std::string path = folder.write("data.svm", rows).string();
  const std::string text = with(with(logistic, "epochs = 2", length), "data.svm", path);
  const Experiment experiment = read_text(with(text, "labels", "iid"));
  return experiment.rounds_on(*experiment.problem(2, experiment.seed));
}

TEST(ExperimentTest, EpochsBecomeTheFewestRoundsThatReachThem) {
  EXPECT_EQ(rounds_of("epochs = 2"), 4u);
  EXPECT_EQ(rounds_of("epochs = 2.25"), 5u);
  EXPECT_EQ(rounds_of("epochs = 0.5"), 1u);
  EXPECT_EQ(rounds_of("epochs = 0.01"), 1u);
  EXPECT_EQ(rounds_of("epochs = 1000"), 2000u);
  EXPECT_EQ(rounds_of("rounds = 17"), 17u);
}

/// What `check_network` says of a method with the small experiment's network changed, "" if
/// nothing.
std::string refusal(const std::string& method, const std::vector<std::string>& changes) {
  std::vector<std::string> overrides{"method.name=" + method};
  overrides.insert(overrides.end(), changes.begin(), changes.end());
  const Experiment experiment = read_text(small, overrides);
  const std::unique_ptr<RowUpdate> update = experiment.methods[0].method();
  Network network = experiment.network.make();
  return user_error_of([&] { check_network(method, *update, experiment.network, network); });
}

std::string refusal_of_dgd(const std::string& graph, const std::string& weights, int nodes = 4) {
  return refusal("dgd", {"network.graph=" + graph, "network.weights=" + weights,
                         "network.nodes=" + std::to_string(nodes)});
}

TEST(CheckNetworkTest, AcceptsDoublyStochasticWeights) {
  EXPECT_EQ(refusal_of_dgd("star", "metropolis"), "");
  EXPECT_EQ(refusal_of_dgd("ring", "uniform"), "");
  EXPECT_EQ(refusal_of_dgd("bo-wang", "bo-wang", 5), "");
  EXPECT_EQ(refusal_of_dgd("ring", "metropolis", 1), "");
  // Everybody hears one and tells one, so R is doubly stochastic.
  EXPECT_EQ(refusal_of_dgd("directed-ring", "uniform"), "");
}

TEST(CheckNetworkTest, RefusesOthersAndSaysWhatHelps) {
  EXPECT_EQ(refusal_of_dgd("star", "uniform"),
            "dgd: column 0 sums to 1.75, W must be doubly stochastic: use weights \"metropolis\"");
  EXPECT_TRUE(says(refusal_of_dgd("bo-wang", "uniform", 5), "use a method for directed graphs"));
  // An even ring whose nodes keep nothing for themselves swaps its two halves for ever.
  EXPECT_TRUE(says(refusal_of_dgd("ring", "max-degree"), "use weights \"lazy\""));
}

TEST(CheckNetworkTest, RefusesAGraphThatIsNotConnected) {
  const TempFolder folder;
  const std::string path = folder.write("edges", "0 1\n2 3\n").string();
  EXPECT_TRUE(says(refusal_of_dgd("{ name = \"file\", path = \"" + path + "\" }", "metropolis"),
                   "dgd: the graph is not connected"));
}

/// What is said of tracking on a graph with these weights.
std::string refusal_of_tracking(const Graph& graph, const MixingWeights& weights) {
  const RowUpdateOf<Dgt> update;
  Network network{graph, std::make_unique<FixedWeights>(weights)};
  return user_error_of([&] { check_network("dgt", update, {}, network); });
}

TEST(CheckNetworkTest, DirectedMethodsNeedAStronglyConnectedGraphToPush) {
  const auto refusal_on = [](const Graph& graph) {
    return refusal_of_tracking(graph, Uniform{}.make(graph));
  };
  EXPECT_EQ(refusal_on(Graph::directed(3, {{0, 1}, {1, 2}, {2, 0}, {0, 2}})), "");
  EXPECT_EQ(refusal_on(Graph::directed(3, {{0, 1}, {1, 2}})),
            "dgt: the graph must be strongly connected: add edges, or use another graph");
  EXPECT_TRUE(says(refusal_on(Graph::directed(3, {{0, 1}, {2, 1}})), "no spanning tree"));
}

TEST(CheckNetworkTest, DirectedMethodsNeedRowsOfRAndColumnsOfCThatSumToOne) {
  const Graph graph = Graph::undirected(3, {{0, 1}, {0, 2}});
  const MixingWeights good = Uniform{}.make(graph);
  EXPECT_EQ(refusal_of_tracking(graph, good), "");
  EXPECT_EQ(refusal_of_tracking(graph, {good.pull, good.pull}),
            "dgt: the columns of C must sum to 1: use weights \"uniform\"");
  EXPECT_EQ(refusal_of_tracking(graph, {good.push, good.push}),
            "dgt: the rows of R must sum to 1: use weights \"uniform\"");
}

TEST(CheckNetworkTest, ExactMethodsNeedSymmetricWeightsWithEigenvaluesAboveTheirBound) {
  // The even ring's W has the eigenvalue (1 - 2)/3 = -1/3, which D^2 must be above.
  EXPECT_TRUE(
      says(refusal("d2", {"network.weights=uniform"}), "the least eigenvalue of W is -0.3333"));
  EXPECT_EQ(refusal("extra", {"network.weights=uniform"}), "");
  EXPECT_EQ(refusal("d2", {"network.weights={ name = \"lazy\", gamma = 0.5 }"}), "");
  EXPECT_TRUE(says(refusal("extra", {"network.graph=directed-ring", "network.weights=uniform"}),
                   "W must be symmetric"));
}

TEST(CheckNetworkTest, ChangingLinksAreRefusedWhereTheoryNeedsFixedOnes) {
  EXPECT_EQ(refusal("dgd", {"network.links=matchings"}), "");
  EXPECT_TRUE(says(refusal("d2", {"network.links=matchings"}), "links \"all\""));
  EXPECT_TRUE(says(refusal("extra", {"network.links=matchings"}), "links \"all\""));
}

TEST(CheckNetworkTest, OnePeerLinksOfADirectedExponentialGraphAreDoublyStochastic) {
  EXPECT_EQ(refusal("dgd", {"network.graph=directed-exponential", "network.weights=uniform",
                            "network.links=one-peer"}),
            "");
  // Uniform weights on a part of a star's edges are not.
  EXPECT_TRUE(says(refusal("dgd", {"network.graph=star", "network.weights=uniform",
                                   "network.links=random-edges"}),
                   "W must be doubly stochastic"));
}

TEST(CheckNetworkTest, LostMessagesAreForMethodsWhoseTheoryAllowsThem) {
  for (const char* name : {"dgd", "dsgd-atc", "local-sgd", "sgp", "dgt", "push-pull", "dgd-clip"})
    EXPECT_EQ(refusal(name, {"network.drop=0.2"}), "") << name;
  for (const char* name : {"dsgd-t", "amsgrad", "d2", "extra", "qg-dsgdm"})
    EXPECT_TRUE(says(refusal(name, {"network.drop=0.2"}), "does not allow lost messages")) << name;
}

TEST(CheckNetworkTest, ExactAveragesAreNotRefusedBecauseOfANetworkTheyDoNotUse) {
  for (const char* of : {"extra", "amsgrad", "dsgd-t"}) {
    EXPECT_EQ(refusal("centralized", {std::string{"method.of="} + of, "network.graph=star",
                                      "network.weights=uniform", "network.drop=0.1"}),
              "")
        << of;
  }
}

TEST(CheckNetworkTest, UniformWeightsOnRandomEdgesAreRefusedWhateverTheSeed) {
  for (int seed = 1; seed <= 5; ++seed)
    EXPECT_TRUE(says(refusal("dgd", {"seed=" + std::to_string(seed), "network.weights=uniform",
                                     "network.links={ name = \"random-edges\", fraction = 0.02 }"}),
                     "use weights \"metropolis\""));
}

TEST(CheckNetworkTest, ChangingLinksTakeTwoRulesForWeightsOnly) {
  EXPECT_TRUE(says(user_error_of([] {
                     read_text(small, {"network.links=matchings", "network.weights=max-degree"});
                   }),
                   "network.weights"));
}

}  // namespace
}  // namespace starling
