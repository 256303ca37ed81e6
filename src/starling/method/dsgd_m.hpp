/// Decentralized stochastic subgradient descent with momentum.
///
/// DSGD-M of Zhang, Xiao & Liu, in their framework z+ = W z - step h with z = (x, y): the momentum
/// is mixed as well. theta = tau step as in the framework, or a constant, where theta = 1 - beta is
/// the usual momentum. Needs W doubly stochastic, a connected graph.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/method.hpp"

namespace starling {

struct DsgdM {
  static constexpr std::string_view paper = "Zhang, Xiao & Liu, arXiv 2403.11565 (DSGD-M)";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j W_ij x_j - step y_i",
      "y_i+ = sum_j W_ij y_j - theta (y_i - g_i),  y_i = 0 at the start, g_i sampled at x_i"};
  static constexpr std::string_view variables[] = {"x", "y"};
  static constexpr Steps steps = Steps::vanishing;

  float tau = 1, theta = 0;

  static void options(auto& self, auto&& option) {
    option("tau", self.tau, positive, "averaging rate of the momentum over the step size");
    option("theta", self.theta, fraction, "constant averaging rate; 0: tau times the step size");
  }

  struct Exchanged {
    float x, y;
  };
  struct State : Exchanged {};

  constexpr State start(float x) const { return {{x, 0}}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.x = mixed.x - step * s.y;
    s.y = mixed.y - (theta > 0 ? theta : tau * step) * (s.y - g);
  }
};

}  // namespace starling
