/// Gradient descent with heavy-ball momentum: all that a new method is.
#pragma once

#include <starling/method/method.hpp>

struct HeavyBall {
  float momentum = 0.9f;

  static constexpr std::string_view variables[] = {"x", "m"};
  struct Exchanged {
    float x;
  };
  struct State : Exchanged {
    float m;
  };

  constexpr State start(float x) const { return {{x}, 0}; }
  constexpr void adapt(State& s, const Exchanged& mixed, float g, float step) const {
    s.m = momentum * s.m + g;
    s.x = mixed.x - step * s.m;
  }
};
