/// The mpi engine: simulate's bits, whatever the ranks and however rows travel; one line for a
/// mistake or a lost rank.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "ranks.hpp"
#include "starling/engine/cut.hpp"
#include "starling/engine/placement.hpp"
#include "starling/engine/team.hpp"
#include "starling/experiment/catalogue.hpp"
#include "starling/graph/graph.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;

/// metrics.csv without the column of seconds.
std::string metrics_of(const fs::path& run) {
  std::istringstream lines(stored(run / "metrics.csv"));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string cell;
    for (int column = 0; std::getline(cells, cell, ','); ++column)
      if (column != 4) text += cell + ",";
    text += "\n";
  }
  return text;
}

class MpiTest : public ::testing::Test {
 protected:
  /// An experiment on eight nodes with these methods, one after the other.
  void write(const std::string& network, const std::vector<std::string>& methods,
             const std::string& rounds = "rounds = 12\n") const {
    std::string text = rounds + "[network]\nnodes = 8\n" + network +
                       fmt::format("[problem]\nname = \"quadratic\"\ndimension = {}\n", dimension);
    for (const std::string& method : methods)
      text += "[[method]]\nname = \"" + method + "\"\nstep = 0.02\n";
    folder.write("file.toml", text + "[record]\nevery = 4\n" + record);
  }

  /// Runs the file without ranks, to compare with.
  void run_reference() const {
    const ProgramResult result = run_program(folder.path(), "run file.toml --quiet --out one");
    ASSERT_EQ(result.status, 0) << result.err;
  }

  void expect_same_bits(int ranks, const std::string& exchange,
                        const std::string& placement = "blocks") const {
    const std::string out = fmt::format("out-{}-{}-{}", ranks, exchange, placement);
    const ProgramResult result =
        run_ranks(folder.path(), ranks,
                  fmt::format("run file.toml --quiet --threads 1 --out {} --set engine.exchange={} "
                              "--set engine.placement={}",
                              out, exchange, placement));
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(metrics_of(folder.path() / out), metrics_of(folder.path() / "one")) << out;
    int files = 0;
    for (const auto& entry : fs::directory_iterator(folder.path() / "one" / "checkpoints")) {
      const fs::path other = folder.path() / out / "checkpoints" / entry.path().filename();
      EXPECT_TRUE(stored(entry.path()) == stored(other)) << other;
      ++files;
    }
    EXPECT_GT(files, 0);
  }

  TempFolder folder;
  std::size_t dimension = 20000;
  std::string record;  ///< more lines of [record]
};

/// All methods that mix with W only, or those that use R or C, the fixed-weights ones left out
/// where links change.
std::vector<std::string> methods_with(bool directed, bool changing) {
  std::vector<std::string> names;
  const Table defaults;
  for (const auto& entry : methods()) {
    OptionReader reader(defaults, "", "");
    Table resolved;
    const std::unique_ptr<RowUpdate> update = entry.read(reader, resolved)();
    const bool is_directed = std::ranges::any_of(
        update->mixing(), [](Mixing mixing) { return mixing != Mixing::doubly; });
    if (is_directed == directed && !(changing && update->tolerates() == Tolerates::fixed_weights))
      names.emplace_back(entry.name);
  }
  return names;
}

TEST_F(MpiTest, EveryMethodOnARingHasSimulatesBitsOnAnyNumberOfRanks) {
  write("graph = \"ring\"\nweights = { name = \"lazy\", gamma = 0.5 }\n",
        methods_with(false, false));
  run_reference();
  for (const int ranks : {1, 2, 3, 5, 8}) expect_same_bits(ranks, "auto");
  for (const int ranks : {2, 5}) expect_same_bits(ranks, "messages");
}

TEST_F(MpiTest, DirectedMethodsHaveSimulatesBits) {
  write("graph = \"random-digraph\"\nweights = \"uniform\"\n", methods_with(true, false));
  run_reference();
  for (const int ranks : {3, 8}) expect_same_bits(ranks, "auto");
  expect_same_bits(5, "messages");
}

TEST_F(MpiTest, OnePeerLinksHaveSimulatesBits) {
  write("graph = \"directed-exponential\"\nweights = \"uniform\"\nlinks = \"one-peer\"\n",
        methods_with(false, true));
  run_reference();
  expect_same_bits(3, "auto");
  expect_same_bits(5, "messages");
}

TEST_F(MpiTest, RandomGraphsAndRandomLinksHaveSimulatesBits) {
  write("graph = \"erdos-renyi\"\nlinks = \"random-edges\"\n",
        {"dgd", "amsgrad", "dsgd-t", "dsgd-atc", "local-sgd", "centralized", "sgp"});
  run_reference();
  expect_same_bits(5, "auto");
  expect_same_bits(3, "messages");
}

TEST_F(MpiTest, LostMessagesAreTheSameOnesOnEveryRank) {
  write("graph = \"random-digraph\"\nweights = \"uniform\"\ndrop = 0.3\n",
        {"sgp", "push-pull", "clipped-tracking"});
  run_reference();
  expect_same_bits(4, "auto");
  expect_same_bits(4, "messages");
}

TEST_F(MpiTest, MoreRanksThanNodesLeaveSomeIdle) {
  write("graph = \"ring\"\n", {"dgd", "dsgd-t", "centralized"});
  run_reference();
  const std::string fewer = " --set network.nodes=3";
  const ProgramResult one = run_program(folder.path(), "run file.toml --quiet --out three" + fewer);
  const ProgramResult five =
      run_ranks(folder.path(), 5, "run file.toml --quiet --threads 1 --out five" + fewer);
  ASSERT_EQ(five.status, 0) << five.err;
  EXPECT_EQ(metrics_of(folder.path() / "five"), metrics_of(folder.path() / "three")) << one.err;
  const ProgramResult messages = run_ranks(
      folder.path(), 5,
      "run file.toml --quiet --threads 1 --out far --set engine.exchange=messages" + fewer);
  ASSERT_EQ(messages.status, 0) << messages.err;
  EXPECT_EQ(metrics_of(folder.path() / "far"), metrics_of(folder.path() / "three"));
}

/// A ring of eight nodes whose neighbours' numbers are 3 apart, and a digraph that also leads from
/// each node to the one after the next: blocks cut most of their edges.
class MpiTestWithCut : public MpiTest {
 protected:
  MpiTestWithCut() {
    std::string ring_lines, digraph_lines;
    for (Node i = 0; i < 8; ++i) {
      const Node next = (i + 3) % 8, second = (i + 6) % 8;
      ring_edges.emplace_back(i, next);
      digraph_edges.emplace_back(i, next);
      digraph_edges.emplace_back(i, second);
      ring_lines += fmt::format("{} {}\n", i, next);
      digraph_lines += fmt::format("{0} {1}\n{0} {2}\n", i, next, second);
    }
    folder.write("ring.txt", ring_lines);
    folder.write("digraph.txt", digraph_lines);
  }

  const std::string ring = "graph = { name = \"file\", path = \"ring.txt\" }\n";
  const std::string digraph =
      "graph = { name = \"file\", path = \"digraph.txt\", directed = true }\n";
  std::vector<Edge> ring_edges, digraph_edges;
};

/// So that the tests below test something.
TEST_F(MpiTestWithCut, RanksHoldNodesThatAreNotConsecutive) {
  for (const Graph& graph : {Graph::undirected(8, ring_edges), Graph::directed(8, digraph_edges)})
    for (const int ranks : {2, 3, 5}) {
      const Placement placement = cut(graph, ranks);
      EXPECT_GT(placement.runs().size(), static_cast<std::size_t>(ranks));
      EXPECT_LT(crossing_edges(graph, placement), crossing_edges(graph, blocks(8, ranks)));
    }
  // Otherwise the lowest node that diverges would be on the lowest rank.
  for (const int ranks : {2, 3, 5})
    EXPECT_NE(cut(Graph::undirected(8, ring_edges), ranks).owner(0), 0);
}

TEST_F(MpiTestWithCut, EveryMethodHasSimulatesBitsWhereFewEdgesCross) {
  write(ring + "weights = { name = \"lazy\", gamma = 0.5 }\n", methods_with(false, false));
  run_reference();
  for (const int ranks : {2, 3, 5}) expect_same_bits(ranks, "auto", "cut");
  expect_same_bits(3, "messages", "cut");
}

TEST_F(MpiTestWithCut, DirectedMethodsHaveSimulatesBitsWhereFewEdgesCross) {
  write(digraph + "weights = \"uniform\"\n", {"clipped-tracking", "sgp", "push-pull"});
  run_reference();
  for (const int ranks : {2, 5}) expect_same_bits(ranks, "auto", "cut");
  expect_same_bits(3, "messages", "cut");
}

TEST_F(MpiTestWithCut, OnePeerLinksHaveSimulatesBitsWhereFewEdgesCross) {
  write(digraph + "weights = \"uniform\"\nlinks = \"one-peer\"\n",
        {"dgd", "amsgrad", "dsgd-t", "sgp"});
  run_reference();
  expect_same_bits(2, "messages", "cut");
  expect_same_bits(5, "auto", "cut");
}

TEST_F(MpiTestWithCut, LossyLinksHaveSimulatesBitsWhereFewEdgesCross) {
  write(digraph + "weights = \"uniform\"\ndrop = 0.3\n", {"sgp", "push-pull", "clipped-tracking"});
  run_reference();
  expect_same_bits(3, "auto", "cut");
  expect_same_bits(5, "messages", "cut");
}

TEST_F(MpiTestWithCut, LongVectorsAreAddedUpInPiecesWithSimulatesBits) {
  dimension = 3 * Team::chunk + 1000;
  write(ring, {"dgd"}, "rounds = 2\n");
  run_reference();
  for (const int ranks : {2, 3, 5}) expect_same_bits(ranks, "auto", "cut");
  for (const int ranks : {3, 8}) expect_same_bits(ranks, "auto", "blocks");
}

TEST_F(MpiTestWithCut, StationarityHasSimulatesBits) {
  dimension = 5;
  record = "stationarity = 0.1\n";
  write(ring, {"dgd"});
  run_reference();
  expect_same_bits(3, "auto", "cut");
  expect_same_bits(5, "auto", "blocks");
}

TEST_F(MpiTestWithCut, DivergenceIsTheSameAsSimulatesWhereFewEdgesCross) {
  folder.write("file.toml", "rounds = 30\n[network]\nnodes = 8\n" + ring +
                                "[problem]\nname = \"quadratic\"\n"
                                "[[method]]\nname = \"dgd\"\nstep = 1e4\n[record]\nevery = 2\n");
  const ProgramResult one = run_program(folder.path(), "run file.toml --quiet --out one");
  ASSERT_EQ(one.status, 3);
  for (const int ranks : {2, 3, 5}) {
    const std::string out = fmt::format("out-{}", ranks);
    const ProgramResult result =
        run_ranks(folder.path(), ranks,
                  "run file.toml --quiet --threads 1 --set engine.placement=cut --out " + out);
    EXPECT_NE(result.err.find(one.err), std::string::npos) << result.err << one.err;
    EXPECT_EQ(metrics_of(folder.path() / out), metrics_of(folder.path() / "one"));
  }
}

TEST_F(MpiTest, MoreRanksThanNodesCannotBeCut) {
  write("graph = \"ring\"\n", {"dgd"});
  const std::string fewer = " --set network.nodes=3";
  const ProgramResult one = run_program(folder.path(), "run file.toml --quiet --out three" + fewer);
  ASSERT_EQ(one.status, 0) << one.err;
  const ProgramResult five =
      run_ranks(folder.path(), 5,
                "run file.toml --quiet --threads 1 --out five --set engine.placement=cut" + fewer);
  ASSERT_EQ(five.status, 0) << five.err;
  EXPECT_EQ(metrics_of(folder.path() / "five"), metrics_of(folder.path() / "three"));
}

#ifdef STARLING_WITH_TORCH
TEST_F(MpiTest, ANetworkHasSimulatesBits) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "the package dataset-fashion-mnist is not there";
  folder.write("file.toml",
               "rounds = 50\n[network]\nnodes = 8\n[problem]\nname = \"network\"\nmodel = \"cnn\"\n"
               "dataset = \"fashion-mnist\"\nbatch = 8\nobjective_samples = 200\n"
               "test_samples = 200\npartition = { by = \"labels\", labels = 1 }\n"
               "[[method]]\nname = \"amsgrad\"\nstep = 1e-3\n[record]\nevery = 25\n");
  run_reference();
  expect_same_bits(3, "auto");
  expect_same_bits(2, "messages");
}
#endif

TEST_F(MpiTest, AMistakeIsToldOnce) {
  write("graph = \"rink\"\n", {"dgd"});
  const ProgramResult result = run_ranks(folder.path(), 3, "run file.toml --quiet");
  EXPECT_NE(result.status, 0);
  const std::string message = "starling: file.toml:4: network.graph = \"rink\": unknown";
  const std::size_t first = result.err.find(message);
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("starling: ", first + 1), std::string::npos) << result.err;
}

TEST_F(MpiTest, AFolderThatIsThereIsToldOnce) {
  write("graph = \"ring\"\n", {"dgd"});
  run_reference();
  const ProgramResult result = run_ranks(folder.path(), 3, "run file.toml --quiet --out one");
  EXPECT_NE(result.status, 0);
  const std::size_t first = result.err.find("starling: ");
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("starling: ", first + 1), std::string::npos) << result.err;
}

TEST_F(MpiTest, AnEngineForOneProcessIsToldOnce) {
  write("graph = \"ring\"\n", {"dgd"});
  const ProgramResult result =
      run_ranks(folder.path(), 3, "run file.toml --quiet --set engine.name=simulate");
  EXPECT_NE(result.status, 0);
  const std::size_t first = result.err.find("starling: ");
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("starling: ", first + 1), std::string::npos) << result.err;
}

TEST_F(MpiTest, AFolderThatCannotBeMadeIsToldOnce) {
  write("graph = \"ring\"\n", {"dgd"});
  folder.write("taken", "a file");
  const ProgramResult result = run_ranks(folder.path(), 3, "run file.toml --quiet --out taken/run");
  EXPECT_NE(result.status, 0);
  const std::size_t first = result.err.find("starling: ");
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("starling: ", first + 1), std::string::npos) << result.err;
}

TEST_F(MpiTest, DivergenceIsTheSameAsSimulates) {
  folder.write("file.toml",
               "rounds = 30\n[network]\nnodes = 6\n[problem]\nname = \"quadratic\"\n"
               "[[method]]\nname = \"dgd\"\nstep = 1e4\n[record]\nevery = 2\n");
  const ProgramResult one = run_program(folder.path(), "run file.toml --quiet --out one");
  const ProgramResult ranks =
      run_ranks(folder.path(), 4, "run file.toml --quiet --threads 1 --out four");
  EXPECT_EQ(one.status, 3);
  EXPECT_TRUE(says(one.err.substr(0, one.err.find('\n')), "dgd diverged in round"));
  EXPECT_NE(ranks.err.find(one.err), std::string::npos) << ranks.err;
  EXPECT_EQ(metrics_of(folder.path() / "four"), metrics_of(folder.path() / "one"));
}

/// MPICH's launcher leaves the other ranks no time for a word, and tells of the death itself.
const bool launcher_kills_at_once =
    std::string_view{STARLING_MPIEXEC}.find("mpich") != std::string_view::npos;

/// The program's processes that work in this folder.
std::vector<pid_t> processes_in(const fs::path& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code gone;
    const fs::path exe = fs::read_symlink(entry.path() / "exe", gone);
    if (gone || exe != fs::canonical(STARLING_PROGRAM)) continue;
    if (fs::read_symlink(entry.path() / "cwd", gone) == fs::canonical(folder))
      found.push_back(std::stoi(entry.path().filename().string()));
  }
  return found;
}

TEST_F(MpiTest, ARankThatIsKilledEndsTheRunWithOneLine) {
  using namespace std::chrono_literals;
  constexpr int ranks = 4, times = 20;
  write("graph = \"ring\"\n", {"dgd"}, "rounds = 100000000\n");
  for (int time = 0; time < times; ++time) {
    const std::string out = fmt::format("out{}", time);
    ProgramResult result;
    std::jthread run([&] {
      result = run_ranks(folder.path(), ranks, "run file.toml --quiet --threads 1 --out " + out);
    });
    const fs::path metrics = folder.path() / out / "metrics.csv";
    for (int wait = 0; wait < 3000 && !fs::exists(metrics); ++wait)
      std::this_thread::sleep_for(10ms);
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + 37 * time));
    const std::vector<pid_t> victims = processes_in(folder.path());
    ASSERT_EQ(victims.size(), ranks);
    kill(victims[static_cast<std::size_t>(time) % ranks], SIGKILL);
    const auto killed = std::chrono::steady_clock::now();
    run.join();
    EXPECT_LT(std::chrono::steady_clock::now() - killed, 60s);
    EXPECT_NE(result.status, 0);
    if (!launcher_kills_at_once) {
      const std::size_t line = result.err.find("starling: rank ");
      ASSERT_NE(line, std::string::npos) << result.err;
      EXPECT_NE(result.err.find(") died in round ", line), std::string::npos) << result.err;
      EXPECT_EQ(result.err.find("starling: ", line + 1), std::string::npos) << result.err;
    }
    EXPECT_TRUE(stored(metrics).starts_with("method,seed,round")) << time;
    EXPECT_TRUE(processes_in(folder.path()).empty());
  }
}

TEST_F(MpiTest, ARankThatStaysSilentEndsTheRunAfterTheTimeout) {
  using namespace std::chrono_literals;
  write("graph = \"ring\"\n", {"dgd"}, "rounds = 100000000\n");
  for (const std::string exchange : {"auto", "messages"}) {
    ProgramResult result;
    std::jthread run([&] {
      result = run_ranks(folder.path(), 3,
                         "run file.toml --quiet --threads 1 --set engine.timeout=1 "
                         "--set engine.exchange=" +
                             exchange + " --out " + exchange);
    });
    const fs::path metrics = folder.path() / exchange / "metrics.csv";
    for (int wait = 0; wait < 3000 && !fs::exists(metrics); ++wait)
      std::this_thread::sleep_for(10ms);
    std::this_thread::sleep_for(200ms);
    const std::vector<pid_t> ranks = processes_in(folder.path());
    ASSERT_EQ(ranks.size(), 3u);
    kill(ranks[1], SIGSTOP);
    run.join();
    kill(ranks[1], SIGKILL);
    EXPECT_NE(result.status, 0);
    EXPECT_NE(result.err.find("has been silent for 1 s in round "), std::string::npos)
        << result.err;
  }
}

}  // namespace
}  // namespace starling
