/// Consensus-based distributed SGD with Polyak's or Nesterov's momentum.
///
/// CDSGD-P and CDSGD-N of Jiang, Balu, Hegde & Sarkar, arXiv 1706.07880, baselines of Bo & Wang,
/// in the form of the authors' code, with g_i sampled at x_i (`cdsgd_published.hpp` has the
/// others). Plain CDSGD is DGD by another name. Needs W doubly stochastic.
#pragma once

#include "starling/base/range.hpp"
#include "starling/method/dgd.hpp"

namespace starling {

struct Cdsgd : Dgd {
  static constexpr std::string_view paper = "Jiang et al., arXiv 1706.07880";
  static constexpr Steps steps = Steps::small;
};

struct CdsgdP {
  static constexpr std::string_view paper = "Jiang et al., arXiv 1706.07880 (the authors' code)";
  static constexpr std::string_view equations[] = {
      "v_i+ = momentum v_i - step g_i,  v_i = 0 at the start, g_i sampled at x_i",
      "x_i+ = sum_j W_ij x_j + v_i+"};
  static constexpr std::string_view variables[] = {"x", "v"};

  float momentum = 0.9f;

  static void options(auto& self, auto&& option) {
    option("momentum", self.momentum, decay_rate, "part of the velocity that is kept");
  }

  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float v;
  };

  constexpr State start(float x) const { return {{x}, 0}; }

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.v = momentum * s.v - step * g;
    s.x = mixed.x + s.v;
  }
};

struct CdsgdN : CdsgdP {
  static constexpr std::string_view equations[] = {
      "v_i+ = momentum v_i - step g_i,  v_i = 0 at the start, g_i sampled at x_i",
      "x_i+ = sum_j W_ij x_j + momentum v_i+ - step g_i"};

  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.v = momentum * s.v - step * g;
    s.x = mixed.x + momentum * s.v - step * g;
  }
};

}  // namespace starling
