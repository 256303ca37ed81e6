/// `starling run` with cores that share memory, from end to end: engines threads and delays.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "image_files.hpp"
#include "program_test.hpp"
#include "test_support.hpp"

namespace starling {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const Lines presets{"sgd", "hogwild", "assm", "assm-consistent", "passm", "passm-locked"};

/// Columns of metrics.csv.
constexpr std::size_t round_column = 2, seconds_column = 4, staleness_mean = 14, staleness_max = 15,
                      columns = 16;

/// An experiment of 400 updates, evaluated every 100, on a problem whose minibatches matter.
std::string experiment(const std::string& engine, const Lines& methods) {
  std::string text = fmt::format(
      "seed = 3\nrounds = 400\n[engine]\n{}[problem]\nname = \"robust-regression\"\n"
      "dimension = 12\nbatch = 4\n",
      engine);
  for (const std::string& method : methods)
    text += fmt::format("[[method]]\nname = \"{}\"\nstep = 0.1\nmomentum = 0.9\n", method);
  return text + "[record]\nevery = 100\n";
}

const std::string threads = "name = \"threads\"\ncores = 2\n";
const std::string delays = "name = \"delays\"\ncores = 2\n";

Lines split(const std::string& text, char at) {
  Lines parts(1);
  for (const char c : text)
    if (c == at)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

/// The rows of a CSV file, cell by cell, without the header; every line must be complete.
std::vector<Lines> rows_of(const std::string& csv) {
  EXPECT_TRUE(csv.ends_with('\n')) << csv;
  std::vector<Lines> rows;
  for (const std::string& line : split(csv, '\n'))
    if (!line.empty()) rows.push_back(split(line, ','));
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

double number(const std::string& cell) { return std::strtod(cell.c_str(), nullptr); }

/// metrics.csv without the one column that may differ between runs.
std::vector<Lines> without_seconds(const std::string& csv) {
  std::vector<Lines> rows = rows_of(csv);
  for (Lines& row : rows) row.at(seconds_column).clear();
  return rows;
}

/// The shape of a tensor in a safetensors file.
std::vector<int> shape_in(const std::string& bytes, const char* tensor) {
  std::uint64_t length = 0;
  for (std::size_t k = 8; k-- > 0;) length = length << 8 | static_cast<std::uint8_t>(bytes.at(k));
  return nlohmann::json::parse(bytes.substr(8, length)).at(tensor).at("shape");
}

class AsynchronousCliTest : public ProgramTest {
 protected:
  void write(const std::string& text) const { folder.write("file.toml", text); }
};

TEST_F(AsynchronousCliTest, ThreadsLeaveMetricsOfEveryPreset) {
  write(experiment(threads, presets));
  output_of("run file.toml --quiet --out out");
  const std::string csv = file("out/metrics.csv");
  EXPECT_TRUE(csv.substr(0, csv.find('\n')).ends_with(",staleness_mean,staleness_max")) << csv;
  std::map<std::string, Lines> last;
  for (const Lines& row : rows_of(csv)) {
    ASSERT_EQ(row.size(), columns);
    if (last.contains(row[0])) {
      const Lines& before = last[row[0]];
      EXPECT_GE(number(row[round_column]), number(before[round_column]));
      EXPECT_GE(number(row[seconds_column]), number(before[seconds_column]));
    } else {
      EXPECT_EQ(row[round_column], "0");
      EXPECT_EQ(row[staleness_mean], "") << "nothing has been updated yet";
    }
    last[row[0]] = row;
  }
  ASSERT_EQ(last.size(), presets.size());
  for (const std::string& preset : presets) {
    const Lines& row = last[preset];
    EXPECT_EQ(row.at(round_column), "400") << preset;
    EXPECT_NE(row.at(staleness_mean), "") << preset;
    EXPECT_LE(number(row.at(staleness_mean)), number(row.at(staleness_max))) << preset;
  }
  EXPECT_EQ(last["sgd"].at(staleness_max), "0") << "one core has no others";
}

TEST_F(AsynchronousCliTest, ThreadsLeaveAHistogramOfStaleness) {
  write(experiment(threads, presets));
  output_of("run file.toml --quiet --out out");
  EXPECT_TRUE(file("out/staleness.csv").starts_with("method,core,staleness,updates\n"));
  std::map<std::string, double> updates;
  for (const Lines& row : rows_of(file("out/staleness.csv"))) {
    ASSERT_EQ(row.size(), 4u);
    EXPECT_LT(number(row[1]), row[0] == "sgd" ? 1 : 2) << "cores";
    EXPECT_GT(number(row[3]), 0);
    updates[row[0]] += number(row[3]);
  }
  ASSERT_EQ(updates.size(), presets.size());
  for (const auto& [preset, sum] : updates) EXPECT_EQ(sum, 400) << preset;
}

TEST_F(AsynchronousCliTest, ThreadsLeaveCheckpointsAndTracesWhereAsked) {
  write(experiment(threads + "trace = true\n", presets));
  output_of("run file.toml --quiet --out out");
  for (const std::string& preset : presets) {
    const std::string checkpoint = file(fmt::format("out/checkpoints/{}.safetensors", preset));
    for (const char* tensor : {"x", "u"})
      EXPECT_EQ(shape_in(checkpoint, tensor), (std::vector<int>{1, 12})) << preset << tensor;
    const std::vector<Lines> rows = rows_of(file(fmt::format("out/traces/{}.csv", preset)));
    EXPECT_EQ(rows.size(), 400u) << preset;
    const bool owns = preset.starts_with("passm");
    for (const Lines& row : rows) {
      ASSERT_EQ(row.size(), owns ? 6u : 5u) << preset;
      EXPECT_EQ(row[1], owns ? row[0] : "all") << preset;
    }
  }
  output_of("run file.toml --quiet --out untraced --set engine.trace=false");
  EXPECT_FALSE(has("untraced/traces"));
}

TEST_F(AsynchronousCliTest, StrictAndFastAccessBothRun) {
  write(experiment(threads, {"sgd"}));
  output_of("run file.toml --quiet --out auto");
  output_of("run file.toml --quiet --out strict --set engine.access=strict");
  // One core: the same bits.
  EXPECT_EQ(file("strict/checkpoints/sgd.safetensors"), file("auto/checkpoints/sgd.safetensors"));
}

/// Under ThreadSanitizer the program ends with a status of its own where it sees a race.
void expect_presets_run_strictly(const TempFolder& folder, const std::string& problem) {
  std::string text =
      "rounds = 60\n[engine]\nname = \"threads\"\ncores = 4\naccess = \"strict\"\n[problem]\n" +
      problem + "l2 = 5e-4\nl1 = 1e-4\n";
  for (const std::string& preset : presets)
    text += fmt::format("[[method]]\nname = \"{}\"\nstep = 0.1\nmomentum = 0.9\n", preset);
  folder.write("strict.toml", text + "[record]\nevery = 20\n");
  const ProgramResult result = run_program(folder.path(), "run strict.toml --quiet --out strict");
  EXPECT_EQ(result.status, 0) << result.err;
  const std::string csv = stored(folder.path() / "strict/metrics.csv");
  for (const std::string& preset : presets)
    EXPECT_NE(csv.find(preset + ",1,60,"), std::string::npos) << preset;
}

TEST_F(AsynchronousCliTest, EveryPresetRunsStrictlyOnLogisticRegression) {
  std::string rows;
  for (int k = 0; k < 64; ++k)
    rows += fmt::format("{} {}:1 {}:0.5 9:1\n", k % 3 == 0 ? "+1" : "-1", 1 + k % 4, 5 + k % 4);
  folder.write("rows.txt", rows);
  expect_presets_run_strictly(folder, "name = \"logistic\"\npath = \"rows.txt\"\nbatch = 4\n");
}

#ifdef STARLING_WITH_TORCH
TEST_F(AsynchronousCliTest, EveryPresetRunsStrictlyOnTheMlp) {
  write_idx(folder, "train", 8, 8, random_bytes(80 * 64, 256, 1), counting_labels(80));
  write_idx(folder, "t10k", 8, 8, random_bytes(20 * 64, 256, 2), counting_labels(20));
  expect_presets_run_strictly(folder,
                              "name = \"network\"\nmodel = \"mlp\"\ndataset = \"mnist\"\n"
                              "path = \".\"\nbatch = 8\n");
}
#endif

TEST_F(AsynchronousCliTest, TheTableTellsCoresUpdatesAndStaleness) {
  write(experiment(threads, {"sgd", "passm"}));
  const std::string text = output_of("run file.toml --out out");
  for (const char* part : {"engine threads, 400 updates\n", "sgd: 1 core updates all of x\n",
                           "passm: 2 cores, each updates its block of x: 6 6\n", "cores", "updates",
                           "staleness", "passm: updates by core "})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  EXPECT_EQ(text.find("MB sent"), std::string::npos) << "nothing is sent: " << text;
  EXPECT_TRUE(text.ends_with("\nout\n")) << text;
}

TEST_F(AsynchronousCliTest, DryRunShowsTheResolvedEngineAndWritesNothing) {
  write(experiment(threads, {"passm"}));
  const std::string text = output_of("run file.toml --dry-run");
  for (const char* part : {"[engine]\nname = \"threads\"\ncores = 2\naccess = \"auto\"\n",
                           "schedule = \"sqrt\"\n", "partition = \"tensors\"\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  EXPECT_EQ(text.find("[network]"), std::string::npos) << text;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().filename().string(), "file.toml");
}

TEST_F(AsynchronousCliTest, DelaysGiveTheSameBitsAgain) {
  write(experiment(delays + "delay = { name = \"uniform\", most = 5 }\n", presets));
  output_of("run file.toml --quiet --out one");
  output_of("run file.toml --quiet --out two");
  output_of("run one/experiment.toml --quiet --out three");
  output_of("run file.toml --quiet --out other --set seed=4");
  const std::vector<Lines> rows = without_seconds(file("one/metrics.csv"));
  EXPECT_EQ(rows.size(), 5 * presets.size());
  EXPECT_EQ(rows.back().at(staleness_max), "5");
  for (const char* again : {"two", "three"})
    EXPECT_EQ(without_seconds(file(std::string{again} + "/metrics.csv")), rows);
  for (const std::string& preset : presets) {
    const std::string path = fmt::format("/checkpoints/{}.safetensors", preset);
    EXPECT_EQ(shape_in(file("one" + path), "u"), (std::vector<int>{1, 12})) << preset;
    EXPECT_TRUE(file("two" + path) == file("one" + path)) << preset;
    EXPECT_TRUE(file("three" + path) == file("one" + path)) << preset;
    EXPECT_FALSE(file("other" + path) == file("one" + path)) << preset;
  }
}

TEST_F(AsynchronousCliTest, EveryKindOfDelayRuns) {
  write(experiment(delays, {"hogwild", "passm"}));
  for (const char* delay :
       {"{ name = \"fixed\", delay = 2 }", "geometric", "{ name = \"speeds\", speeds = [1, 3] }"})
    output_of(fmt::format("run file.toml --quiet --set 'engine.delay={}'", delay));
  EXPECT_TRUE(has("runs/file-3/checkpoints/passm.safetensors"));
}

TEST_F(AsynchronousCliTest, ARecordedRunIsReplayedBitForBit) {
  for (const char* preset : {"assm-consistent", "passm-locked"}) {
    const std::string real = std::string{preset} + "-real", model = std::string{preset} + "-model";
    write(experiment(threads + "trace = true\n", {preset}));
    output_of("run file.toml --quiet --out " + real);
    const std::string delay =
        fmt::format("delay = {{ name = \"trace\", path = \"{}/traces/{}.csv\" }}\n", real, preset);
    write(experiment(delays + delay, {preset}));
    output_of("run file.toml --quiet --out " + model);
    const std::string path = fmt::format("/checkpoints/{}.safetensors", preset);
    EXPECT_TRUE(has(real + path));
    EXPECT_TRUE(file(model + path) == file(real + path)) << preset;
  }
}

TEST_F(AsynchronousCliTest, MethodsAndEnginesThatDoNotFitAreOneLine) {
  write(experiment(threads, {"hogwild"}));
  expect_mistake("run file.toml --set method.name=dgd",
                 "method.name = \"dgd\": exchanges over a network, engine.name = \"threads\"");
  expect_mistake("run file.toml --set network.nodes=4",
                 "network: engine.name = \"threads\" has cores that share memory");
  expect_mistake("run file.toml --set method.name=hogwilt", "did you mean \"hogwild\"?");
  expect_mistake("run file.toml --set engine.timeout=5", "engine.timeout: unknown key");
  expect_mistake("run file.toml --set engine.cores=0", "engine.cores = 0: must be");
  const std::string nodes =
      "rounds = 5\n[network]\nnodes = 4\n[problem]\nname = \"quadratic\"\n"
      "[[method]]\nname = \"dgd\"\nstep = 0.1\n";
  write(nodes);
  expect_mistake("run file.toml --set method.name=hogwild",
                 "method.name = \"hogwild\": is for cores that share memory");
  expect_mistake("run file.toml --set record.seconds=1", "record.seconds: unknown key");
}

TEST_F(AsynchronousCliTest, OptionsThatDoNotFitTogetherAreOneLine) {
  write(experiment(threads, {"hogwild"}));
  expect_mistake("run file.toml --set 'method.alpha=[1, 2]' --set engine.cores=3",
                 "hogwild: method.alpha: 2 numbers for 3 cores");
  expect_mistake("run file.toml --set method.read_lock=whole",
                 "method.read_lock = \"whole\": protects nothing while");
  expect_mistake("run file.toml --set method.read_lock=block --set method.write_lock=whole",
                 "method.read_lock = \"block\": protects nothing while");
  expect_mistake("run file.toml --set method.partition=tensors --set engine.cores=13",
                 "cores = 13: x has 12 coordinates");
  expect_mistake("run file.toml --set method.partition=halves", "method.partition = \"halves\"");
}

TEST_F(AsynchronousCliTest, ATraceThatDoesNotFitIsOneLine) {
  write(experiment(delays, {"hogwild"}));
  const auto with_trace = [](const std::string& path) {
    return "run file.toml --set 'engine.delay={ name = \"trace\", path = \"" + path + "\" }'";
  };
  expect_mistake("run file.toml --set engine.delay=trace", "engine.delay.path: empty");
  expect_mistake(with_trace("none.csv"), "none.csv: cannot be read");
  folder.write("blocks.csv", "core,block,sample,seconds,delay_0,delay_1\n0,0,1,0.1,0,0\n");
  expect_mistake(with_trace("blocks.csv"),
                 "blocks.csv: has delays of 2 blocks, the method makes 1 of x");
  const std::string two = "core,block,sample,seconds,delay_0\n0,all,1,0.1,0\n1,all,2,0.2,1\n";
  folder.write("short.csv", two);
  expect_mistake(with_trace("short.csv"), "rounds: 400 updates, the trace has 2");
  folder.write("cores.csv", two + "2,all,3,0.3,0\n");
  expect_mistake(with_trace("cores.csv"), "cores.csv:4: core = 2: there are 2 cores");
  folder.write("broken.csv", two + "1,all,3,0.3,4\n");
  expect_mistake(with_trace("broken.csv"),
                 "broken.csv:4: delay_0 = 4: there are only 2 updates before");
}

#ifdef STARLING_WITH_TORCH
TEST_F(AsynchronousCliTest, MoreCoresThanTensorsAreOneLine) {
  const auto big_endian = [](std::uint32_t value) {
    return std::string{static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                       static_cast<char>(value >> 8), static_cast<char>(value)};
  };
  const std::string images = big_endian(0x803) + big_endian(20) + big_endian(2) + big_endian(2) +
                             std::string(20 * 4, '\x40');
  std::string labels = big_endian(0x801) + big_endian(20);
  for (int k = 0; k < 20; ++k) labels += static_cast<char>(k % 10);
  for (const char* part : {"train", "t10k"}) {
    folder.write(std::string{part} + "-images-idx3-ubyte", images);
    folder.write(std::string{part} + "-labels-idx1-ubyte", labels);
  }
  write("rounds = 1\n[engine]\n" + threads +
        "[problem]\nname = \"network\"\nmodel = \"mlp\"\ndataset = \"mnist\"\npath = \".\"\n"
        "[[method]]\nname = \"passm\"\nstep = 0.1\n");
  EXPECT_EQ(run("run file.toml --dry-run").status, 0);
  expect_mistake("run file.toml --set engine.cores=5",
                 "method.partition = \"tensors\": 5 cores, but x has 4 tensors");
}
#endif

TEST_F(AsynchronousCliTest, DivergenceSaysUpdateAndCoreAndKeepsWhatWasRecorded) {
  for (const std::string& engine : {threads, delays}) {
    write("rounds = 400\n[engine]\n" + engine +
          "[problem]\nname = \"quadratic\"\ndimension = 4\n"
          "[[method]]\nname = \"hogwild\"\nstep = 1e6\n[[method]]\nname = \"sgd\"\nstep = 0.1\n");
    const std::string out = engine == threads ? "threads" : "delays";
    const ProgramResult result = run("run file.toml --quiet --out " + out);
    EXPECT_EQ(result.status, 3) << out;
    EXPECT_TRUE(result.err.starts_with("starling: hogwild diverged in update ")) << result.err;
    EXPECT_NE(result.err.find(": core "), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("sgd"), std::string::npos) << result.err;
    EXPECT_FALSE(has(out + "/checkpoints/hogwild.safetensors")) << "of no use";
    EXPECT_TRUE(has(out + "/checkpoints/sgd.safetensors"));
    for (const Lines& row : rows_of(file(out + "/metrics.csv"))) EXPECT_EQ(row.size(), columns);
  }
}

/// Starts the program in `folder`; its words on stderr go to the file `stderr` there.
pid_t start_program(const fs::path& folder, Lines arguments) {
  arguments.insert(arguments.begin(), STARLING_PROGRAM);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  if (chdir(folder.c_str()) != 0 || freopen("stderr", "w", stderr) == nullptr ||
      freopen("/dev/null", "w", stdout) == nullptr)
    _exit(126);
  execv(argv[0], argv.data());
  _exit(127);
}

/// Asks every few milliseconds, for half a minute at most, whether something is so.
template <class Condition>
bool wait_for(const Condition& condition) {
  for (int time = 0; time < 6000; ++time) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// Sends SIGINT when two rows are recorded, and returns what `waitpid` says of the end.
int interrupt(pid_t child, const fs::path& metrics) {
  int status = -1;
  bool ended = false;
  const auto has_ended = [&] { return ended = ended || waitpid(child, &status, WNOHANG) == child; };
  const auto has_two_rows = [&] { return std::ranges::count(stored(metrics), '\n') >= 3; };
  EXPECT_TRUE(wait_for([&] { return has_two_rows() || has_ended(); }));
  EXPECT_FALSE(ended) << "before it was interrupted";
  if (!ended) kill(child, SIGINT);
  if (!wait_for(has_ended)) {
    ADD_FAILURE() << "does not end";
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  return status;
}

TEST_F(AsynchronousCliTest, CtrlCEndsARunAtOnceWithWhatWasRecorded) {
  for (const std::string& engine : {threads, delays}) {
    const std::string out = engine == threads ? "threads" : "delays";
    write(experiment(engine, {"passm", "hogwild"}));
    const std::string pace = engine == threads ? "record.seconds=0.01" : "record.every=500";
    const pid_t child =
        start_program(folder.path(), {"run", "file.toml", "--quiet", "--out", out, "--set",
                                      "rounds=1000000000000", "--set", pace});
    ASSERT_GT(child, 0);
    const int status = interrupt(child, folder.path() / out / "metrics.csv");
    ASSERT_TRUE(WIFEXITED(status)) << out;
    EXPECT_EQ(WEXITSTATUS(status), 130) << out;
    EXPECT_EQ(file("stderr"),
              "starling: interrupted: what was recorded until then is in " + out + "\n");
    const std::vector<Lines> rows = rows_of(file(out + "/metrics.csv"));
    EXPECT_GE(rows.size(), 2u);
    for (const Lines& row : rows) {
      ASSERT_EQ(row.size(), columns);
      EXPECT_EQ(row[0], "passm") << "the next method is not begun";
    }
    const std::string checkpoint = file(out + "/checkpoints/passm.safetensors");
    EXPECT_EQ(shape_in(checkpoint, "x"), (std::vector<int>{1, 12}));
    EXPECT_FALSE(has(out + "/checkpoints/hogwild.safetensors"));
  }
}

}  // namespace
}  // namespace starling
