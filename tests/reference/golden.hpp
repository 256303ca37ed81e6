/// Reads the golden files: trajectories of the papers' methods, made in double precision by an
/// independent program.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "reference.hpp"

namespace reference {

/// One method's trajectory.
struct GoldenRun {
  std::string method;
  std::map<std::string, double> options;  // the step size is options.at("step")
  std::string schedule = "constant";      // or "sqrt": step / sqrt(k), k = 1, 2, ...
  std::map<int, Nodes> x_after;           // rounds done -> x of all nodes
};

/// One file: a graph, its weights, the local losses, and the runs on them.
struct GoldenCase {
  std::string name;
  int nodes = 0;
  int dimension = 0;
  Matrix w;          // doubly stochastic; empty on a directed graph
  Matrix r;          // row-stochastic
  Matrix c;          // column-stochastic
  Matrix curvature;  // of the losses, as in QuarticLosses
  Matrix center;
  Vector quartic;
  Vector start;  // x of every node before the first round
  std::vector<GoldenRun> runs;
};

/// Reads one file. Throws std::exception, with the path where it cannot be opened.
GoldenCase read_golden(const std::filesystem::path& path);

/// Reads all *.json files of a folder, in the order of their names.
std::vector<GoldenCase> read_golden_folder(const std::filesystem::path& folder);

/// The case's losses.
QuarticLosses losses_of(const GoldenCase& golden);

/// What a method needs to repeat this run, up to its last recorded round, with W as weights.
Setting setting_of(const GoldenCase& golden, const GoldenRun& run);

}  // namespace reference
