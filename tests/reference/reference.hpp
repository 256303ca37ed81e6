/// The papers' methods once more: in double precision, one node after the other, with dense
/// matrices and nested loops, so that a reader sees the paper and nothing else. Tests compare the
/// library with this; it shares no code with it.
///
/// Conventions: rounds count from 1; a subgradient is sampled at the node's own, unmixed x unless
/// the method says otherwise; a momentum starts at 0; "DAG" is Chen, Karimi, Zhao & Li, arXiv
/// 2109.03194.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace reference {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;               // [row][column]
using Nodes = std::vector<Vector>;                // one vector a node
using Trajectory = std::vector<Nodes>;            // x of all nodes after 0, 1, 2, ... rounds
using Adjacency = std::vector<std::vector<int>>;  // [i][j] is 1 where node i hears node j, else 0

/// The subgradient of f_node at x in this round.
using Gradient = std::function<Vector(int node, int round, const Vector& x)>;

/// The step size of a round.
using Schedule = std::function<double(int round)>;

// Methods -----------------------------------------------------------------------------------------

/// What every method needs.
struct Setting {
  Matrix w;     // mixing weights, [receiver][sender]
  Matrix r, c;  // row- and column-stochastic ones, for methods on directed graphs
  Nodes start;  // x of every node before the first round
  Gradient gradient;
  Schedule step;
  int rounds = 0;
};

/// The options of decentralized AMSGrad.
struct AmsgradOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-6;
};

/// The options of DADAM.
struct DadamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double beta3 = 0.9;
  double epsilon = 1e-6;
};

/// DSGD, also called D-PSGD and DGD: combine, then adapt. Returns x after 0, ..., rounds rounds,
/// as all methods here do.
Trajectory run_dsgd(const Setting& setting);

/// DSGD in the other order: adapt, then combine.
Trajectory run_dsgd_atc(const Setting& setting);

/// Decentralized AMSGrad. DAG, Algorithm 3.
Trajectory run_amsgrad(const Setting& setting, const AmsgradOptions& options);

/// DADAM. DAG, Algorithm 1.
Trajectory run_dadam(const Setting& setting, const DadamOptions& options);

/// DAG, Algorithm 2, with a rule that gives the next vhat from (t, vhat, g), one coordinate.
using MomentRule = std::function<double(int t, double v_hat, double g)>;
Trajectory run_framework(const Setting& setting, double beta1, double epsilon,
                         const MomentRule& rule);

/// DSGD-M (Zhang, Xiao & Liu), momentum mixed and y = 0 at the start; with `sign`, DSignSGD.
Trajectory run_dsgd_m(const Setting& setting, double tau, bool sign);

/// Gradient tracking with x mixed by `a` and y by `b`; steps are clipped at `threshold` (infinity:
/// not at all), Bo & Wang, Algorithm 1.
Trajectory run_tracking(const Setting& setting, const Matrix& a, const Matrix& b, double threshold);

/// DGD whose subgradients are clipped at `threshold`.
Trajectory run_dgd_clip(const Setting& setting, double threshold);

/// CDSGD with Polyak's momentum, or Nesterov's, in the form of the authors' code.
Trajectory run_cdsgd_momentum(const Setting& setting, double momentum, bool nesterov);

/// DSGD with a momentum that stays local: m_i+ = beta m_i + (1 - beta) g_i, and x goes along m+.
Trajectory run_dsgd_m_local(const Setting& setting, double beta);

/// CDSGD-P in its published form, with the consensus inside the velocity:
/// v_i+ = sum_j W_ij x_j - x_i + momentum v_i - step g_i, x_i+ = x_i + v_i+.
Trajectory run_cdsgd_p_published(const Setting& setting, double momentum);

/// CDSGD-N in textbook form: CDSGD-P with subgradients sampled at x_i + momentum v_i.
Trajectory run_cdsgd_n_textbook(const Setting& setting, double momentum);

/// Stochastic gradient push, Assran, Loizou, Ballas & Rabbat 2019. Mixes with C; the trajectory is
/// that of z_i = u_i / w_i, where subgradients are sampled.
Trajectory run_sgp(const Setting& setting);

/// D^2, Tang, Lian, Yan, Zhang & Liu 2018; each subgradient times the step size of its own round.
Trajectory run_d2(const Setting& setting);

/// EXTRA, Shi, Ling, Wu & Yin 2015, with (I + W) / 2 as its second matrix; step sizes as in D^2.
Trajectory run_extra(const Setting& setting);

/// Push-Pull, Pu, Shi, Xu & Nedic 2021: tracking that adapts x before it is mixed by R,
/// x_i+ = sum_j R_ij (x_j - step_j y_j). Steps are clipped at `threshold` (infinity: not at all).
Trajectory run_push_pull(const Setting& setting, double threshold);

/// QG-DSGDm, Lin, Karimireddy, Stich & Jaggi 2021: the momentum follows (x_i - x_i+) / step.
Trajectory run_qg_dsgdm(const Setting& setting, double momentum);

/// DSGD, adapt then combine, that combines in rounds `every`, 2 `every`, ... only.
Trajectory run_local_sgd(const Setting& setting, int every);

/// DSGD with exact averaging: x_i+ is the mean of all x_j, less step g_i.
Trajectory run_centralized(const Setting& setting);

/// Any of the above by its catalogue name, with its options by name; empty for an unknown name.
using Options = std::map<std::string, double>;
Trajectory run(const std::string& method, const Setting& setting, const Options& options);

// Step sizes --------------------------------------------------------------------------------------

/// step in every round.
Schedule constant_step(double step);

/// step / sqrt(k) in round k.
Schedule sqrt_step(double step);

/// step / k^p in round k.
Schedule power_step(double step, double p);

/// step (1 + cos(pi (k - 1) / total)) / 2 in round k of total.
Schedule cosine_step(double step, int total);

/// step, multiplied by factor after each `every` rounds.
Schedule staircase_step(double step, double factor, int every);

// Graphs and weights ------------------------------------------------------------------------------

/// Whether every node can be reached from node 0 (undirected graphs).
bool connected(const Adjacency& adjacency);

/// A connected undirected graph with no loops: every edge present with this probability, drawn
/// again as a whole until it is connected.
Adjacency random_adjacency(std::size_t nodes, double probability, std::mt19937_64& random);

/// W_ij = 1 / (1 + max(d_i, d_j)) for neighbours, the rest of the row on the diagonal; d_i counts
/// the neighbours of i without itself.
Matrix metropolis_weights(const Adjacency& adjacency);

/// Each node gives the same weight to itself and to all it hears: row-stochastic.
Matrix uniform_weights(const Adjacency& adjacency);

/// Each node gives the same weight to itself and to all that hear it: column-stochastic.
Matrix uniform_column_weights(const Adjacency& adjacency);

/// Row i of the result is sum_j w_ij x_j.
Nodes mix(const Matrix& w, const Nodes& x);

// Losses ------------------------------------------------------------------------------------------

/// f_i(x) = sum_l [ curvature_il / 2 (x_l - center_il)^2 + quartic_i / 4 x_l^4 ].
struct QuarticLosses {
  Matrix curvature;  // [node][coordinate]
  Matrix center;     // [node][coordinate]
  Vector quartic;    // [node]

  /// f_node(x).
  double value(int node, const Vector& x) const;

  /// The exact gradient of f_node at x.
  Vector gradient(int node, const Vector& x) const;
};

}  // namespace reference
