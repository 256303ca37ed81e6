#include "golden.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace reference {
namespace {

using nlohmann::json;

GoldenRun run_from(const json& entry) {
  GoldenRun run;
  run.method = entry.at("method").get<std::string>();
  for (const auto& [name, value] : entry.at("options").items()) {
    if (name == "schedule") {
      run.schedule = value.get<std::string>();
    } else {
      run.options[name] = value.get<double>();
    }
  }
  for (const auto& [rounds, x] : entry.at("x_after").items()) {
    run.x_after[std::stoi(rounds)] = x.get<Nodes>();
  }
  return run;
}

}  // namespace

GoldenCase read_golden(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error(path.string() + ": cannot be opened");
  const json file = json::parse(stream);
  const json& problem = file.at("problem");

  GoldenCase golden;
  golden.name = file.at("case").get<std::string>();
  golden.nodes = file.at("nodes").get<int>();
  golden.dimension = file.at("dimension").get<int>();
  if (!file.at("W").is_null()) golden.w = file.at("W").get<Matrix>();
  golden.r = file.at("R").get<Matrix>();
  golden.c = file.at("C").get<Matrix>();
  golden.curvature = problem.at("curvature").get<Matrix>();
  golden.center = problem.at("center").get<Matrix>();
  golden.quartic = problem.at("quartic").get<Vector>();
  golden.start = file.at("start").get<Vector>();
  for (const json& entry : file.at("runs")) golden.runs.push_back(run_from(entry));
  return golden;
}

std::vector<GoldenCase> read_golden_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<GoldenCase> cases;
  for (const std::filesystem::path& path : paths) cases.push_back(read_golden(path));
  return cases;
}

QuarticLosses losses_of(const GoldenCase& golden) {
  QuarticLosses losses;
  losses.curvature = golden.curvature;
  losses.center = golden.center;
  losses.quartic = golden.quartic;
  return losses;
}

Setting setting_of(const GoldenCase& golden, const GoldenRun& run) {
  if (run.schedule != "constant" && run.schedule != "sqrt") {
    throw std::runtime_error(run.schedule + ": unknown schedule");
  }
  const double step = run.options.at("step");
  Setting setting;
  setting.w = golden.w;
  setting.r = golden.r;
  setting.c = golden.c;
  setting.start = Nodes(static_cast<std::size_t>(golden.nodes), golden.start);
  setting.gradient = [losses = losses_of(golden)](int node, int, const Vector& x) {
    return losses.gradient(node, x);
  };
  setting.step = run.schedule == "sqrt" ? sqrt_step(step) : constant_step(step);
  setting.rounds = run.x_after.rbegin()->first;
  return setting;
}

}  // namespace reference
