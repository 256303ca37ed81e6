/// `starling check`: what it says of good experiments and of bad ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "program.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

/// A network of five, losses with kinks, and one method.
std::string kinks(const std::string& method) {
  return "rounds = 100\n"
         "[network]\n"
         "nodes = 5\n"
         "[problem]\n"
         "name = \"max-affine\"\n"
         "[[method]]\n"
         "step = 0.1\n"
         "name = \"" +
         method + "\"\n";
}

/// The part about a method, up to the next empty line; "network" has a part as well.
std::string block_of(const std::string& text, const std::string& label) {
  const std::string start = label == "network" ? "\nnetwork\n" : "\n" + label + ": ";
  const std::size_t begin = text.find(start);
  if (begin == std::string::npos) return "(no part about " + label + ")";
  return text.substr(begin, text.find("\n\n", begin) - begin) + "\n";
}

/// What the line of this name says in a part of the output.
std::string line_of(const std::string& block, const std::string& name) {
  const std::string start = fmt::format("\n  {:<28} ", name);
  const std::size_t begin = block.find(start);
  if (begin == std::string::npos) return "(no line \"" + name + "\")";
  const std::size_t from = begin + start.size();
  return block.substr(from, block.find('\n', from) - from);
}

class CheckTest : public ::testing::Test {
 protected:
  /// Checks the experiment with these arguments behind the file's name; it always ends well.
  std::string check(const std::string& experiment, const std::string& arguments = "") const {
    folder.write("file.toml", experiment);
    const ProgramResult result = run_program(folder.path(), "check file.toml " + arguments);
    EXPECT_EQ(result.status, 0) << arguments << ": " << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  }

  /// The part about one method of `kinks`.
  std::string check_method(const std::string& method, const std::string& arguments = "") const {
    return block_of(check(kinks(method), arguments), method);
  }

  TempFolder folder;
};

TEST_F(CheckTest, TheNetworkComesFirst) {
  const std::string text = check(kinks("dsgd"));
  EXPECT_TRUE(text.starts_with("file\nnetwork\n")) << text;
  const std::string network = block_of(text, "network");
  EXPECT_EQ(line_of(network, "nodes"), "5");
  EXPECT_EQ(line_of(network, "graph"), "ring, 5 edges");
  EXPECT_EQ(line_of(network, "weights"), "metropolis: W, symmetric and doubly stochastic");
  const double lambda = (1 + 2 * std::cos(2 * std::acos(-1.0) / 5)) / 3;
  EXPECT_EQ(line_of(network, "lambda"), fmt::format("{:.6f}", lambda));
  EXPECT_EQ(line_of(network, "spectral gap"), fmt::format("{:.6g}", 1 - lambda));
  EXPECT_EQ(line_of(network, "lost messages"), "none");
}

TEST_F(CheckTest, AllHoldsOfAGoodSubgradientRun) {
  const std::string block = check_method("dsgd", "--set method.schedule=sqrt");
  EXPECT_TRUE(block.starts_with("\ndsgd: Zhang, Xiao & Liu, arXiv 2403.11565")) << block;
  EXPECT_EQ(line_of(block, "exchanged"), "x with W");
  for (const char* name :
       {"rows of W sum to 1", "columns of W sum to 1", "no entry of W is negative",
        "W connects all nodes", "step sizes go to zero", "their sum is infinite"})
    EXPECT_EQ(line_of(block, name), "holds");
  EXPECT_EQ(line_of(block, "|lambda_2|, |lambda_N| < 1"), "holds    lambda = 0.539345, gap 0.4607");
  EXPECT_TRUE(line_of(block, "f_i locally Lipschitz").starts_with("holds"));
  EXPECT_EQ(line_of(block, "step sizes"), "0.1 in round 1, 0.01 in round 100");
  EXPECT_EQ(line_of(block, "starling run"), "accepts this network");
  EXPECT_EQ(block.find(" NO"), std::string::npos) << block;
  EXPECT_EQ(block.find("unknown"), std::string::npos) << block;
}

TEST_F(CheckTest, SchedulesThatDoNotFitAreNamed) {
  const auto verdicts = [&](const std::string& schedule) {
    const std::string block = check_method("dsgd-m", "--set 'method.schedule=" + schedule + "'");
    const auto word = [&](const char* name) {
      const std::string line = line_of(block, name);
      return line.substr(0, line.find(' '));
    };
    return word("step sizes go to zero") + " " + word("their sum is infinite");
  };
  EXPECT_EQ(verdicts("constant"), "NO holds");
  EXPECT_EQ(verdicts("sqrt"), "holds holds");
  EXPECT_EQ(verdicts("power"), "holds holds");
  EXPECT_EQ(verdicts("staircase"), "holds NO");
  EXPECT_EQ(verdicts("{ name = \"staircase\", by = 1.0 }"), "NO holds");
  EXPECT_EQ(verdicts("cosine"), "unknown unknown");

  const std::string line = line_of(check_method("dsgd"), "step sizes go to zero");
  EXPECT_NE(line.find("use schedule \"sqrt\""), std::string::npos) << line;
  // Tracking on directed graphs goes on with a constant step.
  EXPECT_EQ(check_method("dgt").find("go to zero"), std::string::npos);
}

TEST_F(CheckTest, WeightsThatRunRefusesAreExplained) {
  const std::string change = "--set network.graph=star --set network.weights=uniform";
  const std::string block = check_method("dsgd", change + " --set network.nodes=4");
  EXPECT_EQ(line_of(block, "rows of W sum to 1"), "holds");
  EXPECT_EQ(line_of(block, "columns of W sum to 1"),
            "NO       column 0 sums to 1.75: use weights \"metropolis\"");
  EXPECT_EQ(line_of(block, "|lambda_2|, |lambda_N| < 1"), "unknown  W is not doubly stochastic");
  EXPECT_TRUE(line_of(block, "starling run").starts_with("refuses it: column 0 sums to 1.75"))
      << block;
  EXPECT_EQ(run_program(folder.path(), "run file.toml " + change).status, 2);
}

TEST_F(CheckTest, AnEigenvalueOfMinusOneIsFound) {
  const std::string change = "--set network.nodes=6 --set network.weights=max-degree";
  const std::string line = line_of(check_method("dsgd", change), "|lambda_2|, |lambda_N| < 1");
  EXPECT_TRUE(line.starts_with("NO       lambda = 1.000000")) << line;
  EXPECT_NE(line.find("use weights \"lazy\""), std::string::npos) << line;
}

TEST_F(CheckTest, AGraphInTwoPartsIsFound) {
  folder.write("edges", "0 1\n1 2\n3 4\n");
  const std::string block =
      check_method("dsgd", "--set 'network.graph={ name = \"file\", path = \"edges\" }'");
  EXPECT_TRUE(line_of(block, "W connects all nodes").starts_with("NO ")) << block;
  EXPECT_TRUE(line_of(block, "|lambda_2|, |lambda_N| < 1").starts_with("NO ")) << block;
}

TEST_F(CheckTest, ExactMethodsNeedEigenvaluesAboveABound) {
  const std::string four = "--set network.nodes=4 --set network.weights=";
  const auto least = [&](const std::string& method, const std::string& weights,
                         const std::string& name) {
    return line_of(check_method(method, four + weights), "least eigenvalue > " + name);
  };
  EXPECT_TRUE(least("d2", "metropolis", "-0.3333").starts_with("NO       -0.333333: use weights"));
  EXPECT_EQ(least("d2", "lazy", "-0.3333"), "holds    0.333333");
  EXPECT_TRUE(least("extra", "max-degree", "-1").starts_with("NO       -1.000000: use weights"));
  EXPECT_EQ(least("extra", "metropolis", "-1"), "holds    -0.333333");
}

TEST_F(CheckTest, DirectedGraphsHavePerronVectors) {
  // Numbers of an independent dense computation; u and v are those of arXiv 2601.03566's setting.
  const std::string change = "--set network.graph=bo-wang --set network.weights=uniform";
  const std::string block = check_method("clipped-tracking", change);
  EXPECT_EQ(line_of(block, "exchanged"), "x with R, y with C");
  for (const char* name :
       {"rows of R sum to 1", "no entry of R is negative", "diagonal of R is positive",
        "columns of C sum to 1", "no entry of C is negative", "diagonal of C is positive",
        "C's graph strongly connected"})
    EXPECT_EQ(line_of(block, name), "holds");
  EXPECT_TRUE(line_of(block, "spanning tree in R's graph").starts_with("holds    from node "));
  EXPECT_EQ(line_of(block, "rho(R - 1u'/N) < 1"), "holds    0.688692, gap 0.3113");
  EXPECT_EQ(line_of(block, "rho(C - v1'/N) < 1"), "holds    0.599915, gap 0.4001");
  EXPECT_EQ(line_of(block, "u'v > 0"), "holds    4.65116, for sums of 5");
  EXPECT_TRUE(line_of(block, "f_i (L0, L1)-smooth").starts_with("unknown"));
  EXPECT_EQ(line_of(block, "starling run"), "accepts this network");

  const std::string network = block_of(check(kinks("dgt"), change), "network");
  EXPECT_EQ(line_of(network, "graph"), "bo-wang, 8 directed edges");
  EXPECT_EQ(line_of(network, "rho(R - 1u'/N)"), "0.688692");
  EXPECT_EQ(line_of(network, "rho(C - v1'/N)"), "0.599915");
}

TEST_F(CheckTest, AOneWayPathHasARootOnly) {
  folder.write("edges", "0 1\n1 2\n2 3\n3 4\n");
  const std::string block =
      check_method("dgt",
                   "--set 'network.graph={ name = \"file\", path = \"edges\", directed = true }' "
                   "--set network.weights=uniform");
  EXPECT_EQ(line_of(block, "spanning tree in R's graph"), "holds    from node 0");
  EXPECT_TRUE(line_of(block, "rho(R - 1u'/N) < 1").starts_with("holds    0.")) << block;
  EXPECT_TRUE(line_of(block, "C's graph strongly connected").starts_with("NO ")) << block;
  EXPECT_TRUE(line_of(block, "u'v > 0").starts_with("unknown")) << block;
  EXPECT_TRUE(line_of(block, "starling run").starts_with("refuses it: ")) << block;
}

TEST_F(CheckTest, LinksThatChangeAreLookedAtOverAPeriod) {
  const std::string change =
      "--set network.nodes=8 --set network.graph=directed-exponential "
      "--set network.weights=uniform --set network.links=one-peer";
  const std::string text = check(kinks("dsgd"), change);
  EXPECT_EQ(line_of(block_of(text, "network"), "period"), "3 rounds");
  EXPECT_EQ(line_of(block_of(text, "network"), "||W_T ... W_1 - 11'/N||"),
            "0.000000 over a period");
  const std::string block = block_of(text, "dsgd");
  EXPECT_EQ(line_of(block, "||W_T ... W_1 - 11'/N|| < 1"), "holds    0.000000");
  EXPECT_EQ(line_of(block, "weights may change"), "holds    what it adds up stays right");
  EXPECT_EQ(line_of(block, "W connects all nodes"), "holds");

  const std::string exact = check_method("extra", change);
  EXPECT_EQ(line_of(exact, "same weights in every round"), "NO       use links \"all\"");
  const std::string adaptive = check_method("amsgrad", change);
  EXPECT_EQ(line_of(adaptive, "one W in every round (A4)"), "NO");
  EXPECT_EQ(line_of(adaptive, "C1 ... C5"), "unknown without lambda < 1, L");
}

TEST_F(CheckTest, LinksDrawnByChanceHaveAMeanContraction) {
  const std::string text =
      check(kinks("dsgd"), "--set network.graph=complete --set network.links=matchings");
  const std::string block = block_of(text, "dsgd");
  EXPECT_EQ(line_of(block_of(text, "network"), "period"), "none: drawn by chance");
  EXPECT_TRUE(line_of(block, "contraction a round < 1").starts_with("holds    0.")) << block;
}

TEST_F(CheckTest, LostMessagesAreAllowedOrNot) {
  const auto line = [&](const char* method) {
    return line_of(check_method(method, "--set network.drop=0.1"), "messages may be lost");
  };
  EXPECT_EQ(line("dsgd"), "holds    drop = 0.1: what it adds up stays right");
  EXPECT_EQ(line("amsgrad"), "NO       drop = 0.1: what it adds up is lost with them");
  EXPECT_EQ(
      line_of(block_of(check(kinks("dsgd"), "--set network.drop=0.1"), "network"), "lost messages"),
      "each with a chance of 0.1");
}

TEST_F(CheckTest, DadamIsSaidNotToConverge) {
  const std::string line = line_of(check_method("dadam"), "converges (Theorem 1)");
  EXPECT_TRUE(line.starts_with("NO       not in general")) << line;
  EXPECT_NE(line.find("losses are alike"), std::string::npos) << line;
}

TEST_F(CheckTest, WithoutSmoothnessTheConsensusBoundIsLeft) {
  const std::string block = check_method("amsgrad");
  EXPECT_TRUE(line_of(block, "f_i L-smooth").starts_with("unknown")) << block;
  EXPECT_TRUE(line_of(block, "|entries of g| <= G (A2)").starts_with("holds    G = ")) << block;
  EXPECT_TRUE(line_of(block, "step <= sqrt(eps) / (16 L)").starts_with("unknown")) << block;
  EXPECT_EQ(line_of(block, "C1 ... C5"), "unknown without L");
  EXPECT_TRUE(line_of(block, "consensus error at most").ends_with(" in every round")) << block;
  // d = 10, N = 5, T = 100
  EXPECT_EQ(line_of(block, "step size of Corollary 1"), fmt::format("{:.6g}", std::sqrt(0.005)));
}

/// Four samples, one a node on a ring of four with lambda = 1/3. The longest has the square 10, so
/// L = 2.5; the largest entry is 3.
constexpr const char* samples = "+1 1:2 2:-0.5\n-1 1:1 3:3\n+1 2:0.25\n-1 1:-1.5 2:2 3:0.5\n";

std::string smooth(const std::string& methods) {
  return "rounds = 100\n[network]\nnodes = 4\n"
         "[problem]\nname = \"logistic\"\npath = \"samples\"\n" +
         methods;
}

const std::string adaptive_method =
    "[[method]]\nname = \"amsgrad\"\nstep = 0.01\nbeta1 = 0.5\nepsilon = 0.25\n"
    "[[method]]\nname = \"adagrad\"\nstep = 0.01\nbeta1 = 0.5\nepsilon = 0.25\n"
    "[[method]]\nname = \"adam\"\nstep = 0.01\nbeta1 = 0.5\nepsilon = 0.25\n";

TEST_F(CheckTest, TheNumbersOfChenEtAlAreThoseWorkedOutByHand) {
  folder.write("samples", samples);
  const std::string text = check(smooth(adaptive_method));
  const std::string amsgrad = block_of(text, "amsgrad"), adagrad = block_of(text, "adagrad");
  EXPECT_EQ(line_of(amsgrad, "f_i L-smooth"), "holds    L = 2.5 at most");
  EXPECT_EQ(line_of(amsgrad, "|entries of g| <= G (A2)"), "holds    G = 3 at most");
  EXPECT_EQ(line_of(amsgrad, "variance <= sigma^2 (A3)"), "holds    sigma^2 <= G^2 = 9 is taken");
  EXPECT_EQ(line_of(amsgrad, "one W in every round (A4)"), "holds");
  EXPECT_EQ(line_of(amsgrad, "one step size"), "holds");
  EXPECT_EQ(line_of(amsgrad, "step <= sqrt(eps) / (16 L)"), "holds    0.01 <= 0.0125");

  // 1 / (1 - lambda) = 1.5, beta1 / (1 - beta1) = 1, epsilon^1.5 = 1/8, epsilon^2 = 1/16
  const double c1 = 4 * 2.5 * 4;
  const double c2 = 6 * (1 + 1.5 * 1.5) * 2.5 * 9 * 8;
  const double c3 = 16 * 2.5 * 2.5 * 1.5 * 9 * 16;
  const double c4 = 2 * 8 * 1.5 * (1.0 / 3 + 1) * 9;
  const double c5 = 2 * 16 * 1.5 * 2.5 * 9 + 4 * 16 * 0.5 * 2.5 * 9;
  EXPECT_EQ(line_of(amsgrad, "C1 ... C5"),
            fmt::format("{:.4g} {:.4g} {:.4g} {:.4g} {:.4g}", c1, c2, c3, c4, c5));

  // N = 4, d = 3, T = 100, step 0.01, sigma^2 = 9, V_T <= 4 x 3 x 9, for AdaGrad (ln T + 1) times.
  const auto bound = [&](double change) {
    const double rest = c1 * 0.01 * 3 * 9 / 4 + c2 * 1e-4 * 3 + c3 * 1e-6 * 3 +
                        (c4 + 0.01 * c5) * change / (100 * 2);
    return fmt::format("{:.4g} (f at the start - min f) + {:.4g}", c1 / (100 * 0.01), rest);
  };
  EXPECT_EQ(line_of(amsgrad, "bound of Theorem 3"), bound(108));
  EXPECT_EQ(line_of(adagrad, "bound of Theorem 4"), bound(108 * (std::log(100.0) + 1)));
  EXPECT_TRUE(line_of(block_of(text, "adam"), "bound of Theorem 2").starts_with("none: "));
  EXPECT_EQ(line_of(amsgrad, "f at the start"), "0.693147");  // ln 2: it starts at 0
  EXPECT_EQ(line_of(amsgrad, "consensus error at most"),
            fmt::format("{:.4g} in every round", std::pow(0.01 * 1.5, 2) * 3 * 9 * 4));
}

TEST_F(CheckTest, AStepThatIsTooLargeHasNoBound) {
  folder.write("samples", samples);
  const std::string block =
      block_of(check(smooth(adaptive_method), "--set method.step=0.1"), "amsgrad");
  EXPECT_EQ(line_of(block, "step <= sqrt(eps) / (16 L)"),
            "NO       0.1 > 0.0125: a smaller step, or a larger epsilon");
  EXPECT_EQ(line_of(block, "bound of Theorem 3"), "none: something above does not hold");

  const std::string falling =
      block_of(check(smooth(adaptive_method), "--set method.schedule=sqrt"), "amsgrad");
  EXPECT_EQ(line_of(falling, "one step size"), "NO       use schedule \"constant\"");
  EXPECT_EQ(line_of(falling, "bound of Theorem 3"), "none: something above does not hold");
}

TEST_F(CheckTest, ExactAveragesHaveLambdaZeroAndTheOptionsOfTheirMethod) {
  folder.write("samples", samples);
  const std::string block =
      block_of(check(smooth("[[method]]\nname = \"centralized\"\nstep = 0.01\n"
                            "of = { name = \"amsgrad\", beta1 = 0.5, epsilon = 0.25 }\n")),
               "centralized");
  EXPECT_TRUE(line_of(block, "exact averages").starts_with("holds")) << block;
  EXPECT_EQ(line_of(block, "step <= sqrt(eps) / (16 L)"), "holds    0.01 <= 0.0125");
  EXPECT_EQ(line_of(block, "C1 ... C5"),
            fmt::format("{:.4g} {:.4g} {:.4g} {:.4g} {:.4g}", 40.0, 6 * 2 * 2.5 * 9 * 8,
                        16 * 2.5 * 2.5 * 9 * 16, 2 * 8 * 1.0 * 9, 2 * 16 * 2.5 * 9));
}

TEST_F(CheckTest, AQuadraticHasSmoothnessAndNoBound) {
  std::string text = kinks("amsgrad");
  text.replace(text.find("max-affine"), 10, "quadratic");
  const std::string block = block_of(check(text, "--set problem.curvature_max=4"), "amsgrad");
  EXPECT_EQ(line_of(block, "f_i L-smooth"), "holds    L = 4 at most");
  EXPECT_TRUE(line_of(block, "|entries of g| <= G (A2)").starts_with("unknown")) << block;
  EXPECT_EQ(line_of(block, "C1 ... C5"), "unknown without G");
  EXPECT_EQ(block.find("consensus error"), std::string::npos) << block;
}

TEST_F(CheckTest, SetChangesTheExperimentAndNothingIsWritten) {
  const std::string text = check(kinks("dsgd"), "--set network.nodes=7 --set method.step=0.25");
  EXPECT_EQ(line_of(block_of(text, "network"), "nodes"), "7");
  EXPECT_EQ(line_of(block_of(text, "dsgd"), "step sizes"), "0.25 in every round");
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().filename().string(), "file.toml");
}

TEST_F(CheckTest, MistakesInTheFileEndWithStatusTwo) {
  folder.write("file.toml", kinks("dsgd"));
  const auto expect = [&](const std::string& arguments, const std::string& part) {
    const ProgramResult result = run_program(folder.path(), arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
  };
  expect("check", "file is required");
  expect("check missing.toml", "missing.toml: no such file");
  expect("check file.toml --set method.name=dsgdd", "method.name = \"dsgdd\": unknown");
  expect("check file.toml --set problem.pieces=1", "problem.pieces = 1");
  expect("check file.toml --set 'problem.start=[1, 2]'",
         "starling: file.toml: problem.start: 2 numbers");
  expect("check file.toml --set network.graph=hypercube", "starling: file.toml: ");
}

TEST_F(CheckTest, TheExperimentsThatNeedNoDataAreChecked) {
  for (const char* name : {"dadam-counterexample", "dsm-phase-retrieval", "one-peer-exponential"}) {
    const ProgramResult result =
        run_program(folder.path(), fmt::format("check '{}/{}.toml'", STARLING_EXPERIMENTS, name));
    EXPECT_EQ(result.status, 0) << name << ": " << result.err;
    EXPECT_NE(result.out.find("starling run "), std::string::npos) << name;
    EXPECT_EQ(result.out.find("refuses it"), std::string::npos) << result.out;
  }
}

}  // namespace
}  // namespace starling
