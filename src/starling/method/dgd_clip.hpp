/// Decentralized gradient descent with clipping.
///
/// A baseline of Bo & Wang (Sun 2023). No tracking: with different losses the nodes stop apart from
/// the optimum and from each other. Rows of R sum to 1, its graph has a spanning tree.
#pragma once

#include "starling/method/clipping.hpp"
#include "starling/method/dgd.hpp"

namespace starling {

struct DgdClip : Dgd, Clipping {
  static constexpr std::string_view paper = "Bo & Wang, arXiv 2601.03566 (a baseline)";
  static constexpr std::string_view equations[] = {
      "x_i+ = sum_j R_ij x_j - step min(1, c0 / ||g_i||) g_i,  g_i sampled at x_i"};
  static constexpr Steps steps = Steps::small;
  static constexpr Mixing mixing[] = {Mixing::pull};
  static constexpr std::string_view norm_of = "subgradient";
  using Clipping::options;
};

}  // namespace starling
