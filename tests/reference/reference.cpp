#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

namespace reference {
namespace {

/// Repeats one_round(t, x), which returns the next x of all nodes.
template <typename OneRound>
Trajectory repeat(const Setting& setting, OneRound one_round) {
  Trajectory x(1, setting.start);
  for (int t = 1; t <= setting.rounds; ++t) {
    Nodes next = one_round(t, x.back());
    x.push_back(next);
  }
  return x;
}

/// g_i: the subgradient of every node at its own x.
Nodes gradients(const Setting& setting, int t, const Nodes& x) {
  Nodes g;
  for (std::size_t i = 0; i < x.size(); ++i) {
    g.push_back(setting.gradient(static_cast<int>(i), t, x[i]));
  }
  return g;
}

/// A vector a node, as long as x, all of one value.
Nodes filled(const Nodes& x, double value) {
  Nodes result;
  for (const Vector& row : x) result.push_back(Vector(row.size(), value));
  return result;
}

/// The Euclidean norm of the whole vector.
double norm(const Vector& x) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  return std::sqrt(squares);
}

/// The number of neighbours of node i, itself not counted.
int degree(const Adjacency& adjacency, std::size_t i) {
  int count = 0;
  for (std::size_t j = 0; j < adjacency.size(); ++j) {
    if (j != i && adjacency[i][j] != 0) ++count;
  }
  return count;
}

}  // namespace

// Methods -----------------------------------------------------------------------------------------

Trajectory run_dsgd(const Setting& setting) {
  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes next = mix(setting.w, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) next[i][l] -= step * g[i][l];
    }
    return next;
  });
}

Trajectory run_dsgd_atc(const Setting& setting) {
  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes adapted = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) adapted[i][l] -= step * g[i][l];
    }
    return mix(setting.w, adapted);
  });
}

Trajectory run_amsgrad(const Setting& setting, const AmsgradOptions& options) {
  const double beta1 = options.beta1;
  const double beta2 = options.beta2;
  const double epsilon = options.epsilon;
  Nodes m = filled(setting.start, 0);
  Nodes v = filled(setting.start, 0);
  Nodes v_hat = filled(setting.start, epsilon);
  Nodes u_tilde = v_hat;

  return repeat(setting, [&](int t, const Nodes& x) {
    const double alpha = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes next = mix(setting.w, x);     // x_{t+1/2}
    u_tilde = mix(setting.w, u_tilde);  // u~_t, from u~_{t-1/2}
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        m[i][l] = beta1 * m[i][l] + (1 - beta1) * g[i][l];
        v[i][l] = beta2 * v[i][l] + (1 - beta2) * g[i][l] * g[i][l];
        const double v_hat_before = v_hat[i][l];
        v_hat[i][l] = std::max(v_hat_before, v[i][l]);
        const double u = std::max(u_tilde[i][l], epsilon);
        next[i][l] = next[i][l] - alpha * m[i][l] / std::sqrt(u);
        u_tilde[i][l] = u_tilde[i][l] - v_hat_before + v_hat[i][l];  // u~_{t+1/2}
      }
    }
    return next;
  });
}

Trajectory run_dadam(const Setting& setting, const DadamOptions& options) {
  const double beta1 = options.beta1;
  const double beta2 = options.beta2;
  const double beta3 = options.beta3;
  Nodes m = filled(setting.start, 0);
  Nodes v = filled(setting.start, 0);
  Nodes v_hat = filled(setting.start, options.epsilon);

  return repeat(setting, [&](int t, const Nodes& x) {
    const double alpha = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes next = mix(setting.w, x);  // x_{t+1/2}
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        m[i][l] = beta1 * m[i][l] + (1 - beta1) * g[i][l];
        v[i][l] = beta2 * v[i][l] + (1 - beta2) * g[i][l] * g[i][l];
        v_hat[i][l] = beta3 * v_hat[i][l] + (1 - beta3) * std::max(v_hat[i][l], v[i][l]);
        next[i][l] = next[i][l] - alpha * m[i][l] / std::sqrt(v_hat[i][l]);
      }
    }
    return next;
  });
}

Trajectory run_framework(const Setting& setting, double beta1, double epsilon,
                         const MomentRule& rule) {
  Nodes m = filled(setting.start, 0);
  Nodes v_hat = filled(setting.start, epsilon);
  Nodes u_tilde = v_hat;

  return repeat(setting, [&](int t, const Nodes& x) {
    const Nodes g = gradients(setting, t, x);
    Nodes next = mix(setting.w, x);
    u_tilde = mix(setting.w, u_tilde);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        m[i][l] = beta1 * m[i][l] + (1 - beta1) * g[i][l];
        const double v_hat_before = v_hat[i][l];
        v_hat[i][l] = rule(t, v_hat_before, g[i][l]);
        next[i][l] -= setting.step(t) * m[i][l] / std::sqrt(std::max(u_tilde[i][l], epsilon));
        u_tilde[i][l] += v_hat[i][l] - v_hat_before;
      }
    }
    return next;
  });
}

Trajectory run_dsgd_m(const Setting& setting, double tau, bool sign) {
  Nodes y = filled(setting.start, 0);

  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes d = gradients(setting, t, x);
    Nodes next_x = mix(setting.w, x);
    Nodes next_y = mix(setting.w, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        const double direction = sign ? (y[i][l] > 0) - (y[i][l] < 0) : y[i][l];
        next_x[i][l] -= step * direction;
        next_y[i][l] -= tau * step * (y[i][l] - d[i][l]);
      }
    }
    y = next_y;
    return next_x;
  });
}

Trajectory run_tracking(const Setting& setting, const Matrix& a, const Matrix& b,
                        double threshold) {
  Nodes g = gradients(setting, 0, setting.start);
  Nodes y = g;

  return repeat(setting, [&](int t, const Nodes& x) {
    Nodes next_x = mix(a, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double step = setting.step(t) * std::min(1.0, threshold / norm(y[i]));
      for (std::size_t l = 0; l < x[i].size(); ++l) next_x[i][l] -= step * y[i][l];
    }
    const Nodes next_g = gradients(setting, t, next_x);
    y = mix(b, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) y[i][l] += next_g[i][l] - g[i][l];
    }
    g = next_g;
    return next_x;
  });
}

Trajectory run_dgd_clip(const Setting& setting, double threshold) {
  return repeat(setting, [&](int t, const Nodes& x) {
    const Nodes g = gradients(setting, t, x);
    Nodes next = mix(setting.w, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double step = setting.step(t) * std::min(1.0, threshold / norm(g[i]));
      for (std::size_t l = 0; l < x[i].size(); ++l) next[i][l] -= step * g[i][l];
    }
    return next;
  });
}

Trajectory run_cdsgd_momentum(const Setting& setting, double momentum, bool nesterov) {
  Nodes v = filled(setting.start, 0);

  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes next = mix(setting.w, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        v[i][l] = momentum * v[i][l] - step * g[i][l];
        next[i][l] += nesterov ? momentum * v[i][l] - step * g[i][l] : v[i][l];
      }
    }
    return next;
  });
}

Trajectory run_dsgd_m_local(const Setting& setting, double beta) {
  Nodes m = filled(setting.start, 0);

  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes next = mix(setting.w, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        m[i][l] = beta * m[i][l] + (1 - beta) * g[i][l];
        next[i][l] -= step * m[i][l];
      }
    }
    return next;
  });
}

Trajectory run_cdsgd_p_published(const Setting& setting, double momentum) {
  Nodes v = filled(setting.start, 0);

  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    const Nodes mixed = mix(setting.w, x);
    Nodes next = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        v[i][l] = mixed[i][l] - x[i][l] + momentum * v[i][l] - step * g[i][l];
        next[i][l] += v[i][l];
      }
    }
    return next;
  });
}

Trajectory run_cdsgd_n_textbook(const Setting& setting, double momentum) {
  Nodes v = filled(setting.start, 0);

  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    Nodes ahead = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) ahead[i][l] += momentum * v[i][l];
    }
    const Nodes g = gradients(setting, t, ahead);
    Nodes next = mix(setting.w, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        v[i][l] = momentum * v[i][l] - step * g[i][l];
        next[i][l] += v[i][l];
      }
    }
    return next;
  });
}

Trajectory run_sgp(const Setting& setting) {
  Nodes u = setting.start;
  Vector w(u.size(), 1.0);

  return repeat(setting, [&](int t, const Nodes& z) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, z);
    for (std::size_t i = 0; i < z.size(); ++i) {
      for (std::size_t l = 0; l < z[i].size(); ++l) u[i][l] -= step * g[i][l];
    }
    u = mix(setting.c, u);
    Vector next_w(w.size(), 0.0);
    for (std::size_t i = 0; i < w.size(); ++i) {
      for (std::size_t j = 0; j < w.size(); ++j) next_w[i] += setting.c[i][j] * w[j];
    }
    w = next_w;
    Nodes next = u;
    for (std::size_t i = 0; i < z.size(); ++i) {
      for (std::size_t l = 0; l < z[i].size(); ++l) next[i][l] /= w[i];
    }
    return next;
  });
}

Trajectory run_d2(const Setting& setting) {
  Nodes x_before;
  Nodes g_before;

  return repeat(setting, [&](int t, const Nodes& x) {
    const Nodes g = gradients(setting, t, x);
    Nodes sent = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        sent[i][l] -= setting.step(t) * g[i][l];
        if (t == 1) continue;
        sent[i][l] += x[i][l] - x_before[i][l] + setting.step(t - 1) * g_before[i][l];
      }
    }
    x_before = x;
    g_before = g;
    return mix(setting.w, sent);
  });
}

Trajectory run_extra(const Setting& setting) {
  Nodes x_before;
  Nodes mixed_before;
  Nodes g_before;

  return repeat(setting, [&](int t, const Nodes& x) {
    const Nodes g = gradients(setting, t, x);
    const Nodes mixed = mix(setting.w, x);
    Nodes next = mixed;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        next[i][l] -= setting.step(t) * g[i][l];
        if (t == 1) continue;
        next[i][l] += x[i][l] - (x_before[i][l] + mixed_before[i][l]) / 2;
        next[i][l] += setting.step(t - 1) * g_before[i][l];
      }
    }
    x_before = x;
    mixed_before = mixed;
    g_before = g;
    return next;
  });
}

Trajectory run_push_pull(const Setting& setting, double threshold) {
  Nodes g = gradients(setting, 0, setting.start);
  Nodes y = g;

  return repeat(setting, [&](int t, const Nodes& x) {
    Nodes sent = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double step = setting.step(t) * std::min(1.0, threshold / norm(y[i]));
      for (std::size_t l = 0; l < x[i].size(); ++l) sent[i][l] -= step * y[i][l];
    }
    const Nodes next_x = mix(setting.r, sent);
    const Nodes next_g = gradients(setting, t, next_x);
    y = mix(setting.c, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) y[i][l] += next_g[i][l] - g[i][l];
    }
    g = next_g;
    return next_x;
  });
}

Trajectory run_qg_dsgdm(const Setting& setting, double momentum) {
  Nodes m = filled(setting.start, 0);

  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes half = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        half[i][l] -= step * (momentum * m[i][l] + g[i][l]);
      }
    }
    const Nodes next = mix(setting.w, half);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        const double d = (x[i][l] - next[i][l]) / step;
        m[i][l] = momentum * m[i][l] + (1 - momentum) * d;
      }
    }
    return next;
  });
}

Trajectory run_local_sgd(const Setting& setting, int every) {
  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes adapted = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) adapted[i][l] -= step * g[i][l];
    }
    return t % every == 0 ? mix(setting.w, adapted) : adapted;
  });
}

Trajectory run_centralized(const Setting& setting) {
  return repeat(setting, [&](int t, const Nodes& x) {
    const double step = setting.step(t);
    const Nodes g = gradients(setting, t, x);
    Nodes next = filled(x, 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t l = 0; l < x[i].size(); ++l) {
        for (const Vector& row : x) next[i][l] += row[l] / static_cast<double>(x.size());
        next[i][l] -= step * g[i][l];
      }
    }
    return next;
  });
}

namespace {

/// The methods of the four papers, and their baselines there.
Trajectory run_of_papers(const std::string& method, const Setting& setting,
                         const Options& options) {
  const auto o = [&](const std::string& name) { return options.at(name); };
  constexpr double never = std::numeric_limits<double>::infinity();
  if (method == "dgd" || method == "dsgd" || method == "cdsgd") return run_dsgd(setting);
  if (method == "dsgd-atc") return run_dsgd_atc(setting);
  if (method == "dsgd-m") return run_dsgd_m(setting, o("tau"), false);
  if (method == "dsignsgd") return run_dsgd_m(setting, o("tau"), true);
  if (method == "dsgd-t") return run_tracking(setting, setting.w, setting.w, never);
  if (method == "dgt") return run_tracking(setting, setting.r, setting.c, never);
  if (method == "clipped-tracking")
    return run_tracking(setting, setting.r, setting.c, o("threshold"));
  if (method == "dgd-clip") return run_dgd_clip(setting, o("threshold"));
  if (method == "cdsgd-p") return run_cdsgd_momentum(setting, o("momentum"), false);
  if (method == "cdsgd-n") return run_cdsgd_momentum(setting, o("momentum"), true);
  if (method == "amsgrad") return run_amsgrad(setting, {o("beta1"), o("beta2"), o("epsilon")});
  if (method == "dadam")
    return run_dadam(setting, {o("beta1"), o("beta2"), o("beta3"), o("epsilon")});
  if (method == "adagrad")
    return run_framework(setting, o("beta1"), o("epsilon"), [](int t, double v_hat, double g) {
      return (t - 1.0) / t * v_hat + 1.0 / t * g * g;
    });
  if (method == "adam")
    return run_framework(setting, o("beta1"), o("epsilon"), [&](int, double v_hat, double g) {
      return o("beta2") * v_hat + (1 - o("beta2")) * g * g;
    });
  return {};
}

/// What others proposed, and variants.
Trajectory run_of_others(const std::string& method, const Setting& setting,
                         const Options& options) {
  const auto o = [&](const std::string& name) { return options.at(name); };
  constexpr double never = std::numeric_limits<double>::infinity();
  if (method == "sgp") return run_sgp(setting);
  if (method == "d2") return run_d2(setting);
  if (method == "extra") return run_extra(setting);
  if (method == "push-pull") return run_push_pull(setting, never);
  if (method == "push-pull-cta") return run_tracking(setting, setting.r, setting.c, never);
  if (method == "clipped-tracking-atc") return run_push_pull(setting, o("threshold"));
  if (method == "qg-dsgdm") return run_qg_dsgdm(setting, o("momentum"));
  if (method == "local-sgd") return run_local_sgd(setting, static_cast<int>(o("every")));
  if (method == "dsgd-m-local") return run_dsgd_m_local(setting, o("beta"));
  if (method == "cdsgd-p-published") return run_cdsgd_p_published(setting, o("momentum"));
  if (method == "cdsgd-n-textbook") return run_cdsgd_n_textbook(setting, o("momentum"));
  if (method == "centralized") return run_centralized(setting);
  return {};
}

}  // namespace

Trajectory run(const std::string& method, const Setting& setting, const Options& options) {
  const Trajectory of_papers = run_of_papers(method, setting, options);
  return of_papers.empty() ? run_of_others(method, setting, options) : of_papers;
}

// Step sizes --------------------------------------------------------------------------------------

Schedule constant_step(double step) {
  return [=](int) { return step; };
}

Schedule sqrt_step(double step) {
  return [=](int k) { return step / std::sqrt(static_cast<double>(k)); };
}

Schedule power_step(double step, double p) {
  return [=](int k) { return step / std::pow(static_cast<double>(k), p); };
}

Schedule cosine_step(double step, int total) {
  return [=](int k) { return step * (1 + std::cos(std::numbers::pi * (k - 1) / total)) / 2; };
}

Schedule staircase_step(double step, double factor, int every) {
  return [=](int k) {
    double result = step;
    for (int passed = (k - 1) / every; passed > 0; --passed) result *= factor;
    return result;
  };
}

// Graphs and weights ------------------------------------------------------------------------------

bool connected(const Adjacency& adjacency) {
  if (adjacency.empty()) return true;
  std::vector<int> reached(adjacency.size(), 0);
  std::vector<std::size_t> to_visit(1, 0);
  reached[0] = 1;
  while (!to_visit.empty()) {
    const std::size_t i = to_visit.back();
    to_visit.pop_back();
    for (std::size_t j = 0; j < adjacency.size(); ++j) {
      if (adjacency[i][j] != 0 && reached[j] == 0) {
        reached[j] = 1;
        to_visit.push_back(j);
      }
    }
  }
  return std::count(reached.begin(), reached.end(), 0) == 0;
}

Adjacency random_adjacency(std::size_t nodes, double probability, std::mt19937_64& random) {
  if (nodes > 1 && !(probability > 0 && probability <= 1)) {
    throw std::invalid_argument("random_adjacency: probability must be in (0, 1]");
  }
  std::uniform_real_distribution<double> uniform(0, 1);
  while (true) {
    Adjacency adjacency(nodes, std::vector<int>(nodes, 0));
    for (std::size_t i = 0; i < nodes; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        adjacency[i][j] = uniform(random) < probability ? 1 : 0;
        adjacency[j][i] = adjacency[i][j];
      }
    }
    if (connected(adjacency)) return adjacency;
  }
}

Matrix metropolis_weights(const Adjacency& adjacency) {
  const std::size_t nodes = adjacency.size();
  Matrix w(nodes, Vector(nodes, 0.0));
  for (std::size_t i = 0; i < nodes; ++i) {
    double others = 0;
    for (std::size_t j = 0; j < nodes; ++j) {
      if (j == i || adjacency[i][j] == 0) continue;
      w[i][j] = 1.0 / (1 + std::max(degree(adjacency, i), degree(adjacency, j)));
      others += w[i][j];
    }
    w[i][i] = 1 - others;
  }
  return w;
}

Matrix uniform_weights(const Adjacency& adjacency) {
  const std::size_t nodes = adjacency.size();
  Matrix w(nodes, Vector(nodes, 0.0));
  for (std::size_t i = 0; i < nodes; ++i) {
    for (std::size_t j = 0; j < nodes; ++j) {
      if (j == i || adjacency[i][j] != 0) w[i][j] = 1.0 / (1 + degree(adjacency, i));
    }
  }
  return w;
}

Matrix uniform_column_weights(const Adjacency& adjacency) {
  const std::size_t nodes = adjacency.size();
  Matrix c(nodes, Vector(nodes, 0.0));
  for (std::size_t j = 0; j < nodes; ++j) {
    int hearers = 1;
    for (std::size_t i = 0; i < nodes; ++i) hearers += i != j && adjacency[i][j] != 0;
    for (std::size_t i = 0; i < nodes; ++i) {
      if (i == j || adjacency[i][j] != 0) c[i][j] = 1.0 / hearers;
    }
  }
  return c;
}

Nodes mix(const Matrix& w, const Nodes& x) {
  Nodes mixed = filled(x, 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      for (std::size_t l = 0; l < x[j].size(); ++l) mixed[i][l] += w[i][j] * x[j][l];
    }
  }
  return mixed;
}

// Losses ------------------------------------------------------------------------------------------

double QuarticLosses::value(int node, const Vector& x) const {
  const auto i = static_cast<std::size_t>(node);
  double sum = 0;
  for (std::size_t l = 0; l < x.size(); ++l) {
    const double distance = x[l] - center[i][l];
    sum += curvature[i][l] / 2 * distance * distance;
    sum += quartic[i] / 4 * x[l] * x[l] * x[l] * x[l];
  }
  return sum;
}

Vector QuarticLosses::gradient(int node, const Vector& x) const {
  const auto i = static_cast<std::size_t>(node);
  Vector g(x.size());
  for (std::size_t l = 0; l < x.size(); ++l) {
    g[l] = curvature[i][l] * (x[l] - center[i][l]) + quartic[i] * x[l] * x[l] * x[l];
  }
  return g;
}

}  // namespace reference
