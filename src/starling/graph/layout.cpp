#include "starling/graph/layout.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {
namespace {

struct Point {
  double x = 0, y = 0;
};
using Points = std::vector<Point>;
using Distances = std::vector<std::vector<float>>;

constexpr std::size_t most_nodes = 2000, numbered_nodes = 100, circle_nodes = 12;
constexpr double side = 600, margin = 30;

/// Nodes on a circle, the first at the top, clockwise.
Points on_circle(std::size_t nodes) {
  Points points(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(nodes);
    points[i] = {std::sin(angle), -std::cos(angle)};
  }
  return points;
}

/// Whether all edges lead to the next node, so that the circle is the picture.
bool is_ring(const Graph& graph) {
  const std::size_t nodes = graph.nodes();
  for (std::size_t i = 0; i < nodes; ++i)
    for (const Node other : graph.tells(static_cast<Node>(i)))
      if (other != (i + 1) % nodes && (other + 1) % nodes != i) return false;
  return true;
}

/// Edges between all pairs, directions left aside; those out of reach count as far apart.
Distances distances_of(const Graph& graph) {
  const std::size_t nodes = graph.nodes();
  const float far = 2 * std::sqrt(static_cast<float>(nodes));
  Distances distances(nodes, std::vector<float>(nodes, -1));
  std::vector<Node> queue;
  for (std::size_t start = 0; start < nodes; ++start) {
    std::vector<float>& from = distances[start];
    from[start] = 0;
    queue.assign(1, static_cast<Node>(start));
    for (std::size_t at = 0; at < queue.size(); ++at) {
      const Node node = queue[at];
      for (const auto& neighbours : {graph.hears(node), graph.tells(node)})
        for (const Node other : neighbours)
          if (from[other] < 0) {
            from[other] = from[node] + 1;
            queue.push_back(other);
          }
    }
    std::replace(from.begin(), from.end(), -1.0f, far);
  }
  return distances;
}

/// Takes out the mean and what is parallel to `other`, and scales to length 1.
void make_independent(std::vector<double>& axis, const std::vector<double>* other) {
  double mean = 0, dot = 0, square = 0;
  for (const double value : axis) mean += value / static_cast<double>(axis.size());
  for (double& value : axis) value -= mean;
  if (other != nullptr) {
    for (std::size_t i = 0; i < axis.size(); ++i) dot += axis[i] * (*other)[i];
    for (std::size_t i = 0; i < axis.size(); ++i) axis[i] -= dot * (*other)[i];
  }
  for (const double value : axis) square += value * value;
  for (double& value : axis) value /= std::sqrt(square) + 1e-30;
}

/// Classical scaling: the two directions in which squared distances vary most, by power iteration
/// from the circle. It unfolds grids, which forces alone leave crumpled.
Points scaled_distances(const Distances& distances) {
  const std::size_t nodes = distances.size();
  const Points start = on_circle(nodes);
  std::vector<double> axes[2], next(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    // A skew circle: the plain one may be blind to a symmetric graph's best direction.
    const double skew = 0.1 * std::sin(static_cast<double>(i * i));
    axes[0].push_back(start[i].x + skew);
    axes[1].push_back(start[i].y - skew);
  }
  double strength[2] = {1, 1};
  for (int sweep = 0; sweep < 30; ++sweep) {
    make_independent(axes[0], nullptr);
    make_independent(axes[1], &axes[0]);
    for (int a = 0; a < 2; ++a) {
      double square = 0;
      for (std::size_t i = 0; i < nodes; ++i) {
        next[i] = 0;
        for (std::size_t j = 0; j < nodes; ++j) {
          const double d = distances[i][j];
          next[i] -= 0.5 * d * d * axes[a][j];
        }
        square += next[i] * next[i];
      }
      axes[a].swap(next);
      strength[a] = std::sqrt(std::sqrt(square));
    }
  }
  make_independent(axes[0], nullptr);
  make_independent(axes[1], &axes[0]);
  Points points(nodes);
  for (std::size_t i = 0; i < nodes; ++i)
    points[i] = {strength[0] * axes[0][i], strength[1] * axes[1][i]};
  return points;
}

/// Moves each node to where its distances in the drawing fit those in the graph best (stress
/// majorisation; Gansner, Koren & North 2004). Kamada & Kawai's picture; Boost's version of that
/// adds up the energy of all pairs at every move of one node, which takes minutes for 500 nodes.
void relax(const Distances& distances, Points& points) {
  const std::size_t nodes = points.size();
  const std::size_t sweeps = std::clamp<std::size_t>(100'000'000 / (nodes * nodes), 30, 300);
  for (std::size_t sweep = 0; sweep < sweeps; ++sweep)
    for (std::size_t i = 0; i < nodes; ++i) {
      double x = 0, y = 0, weights = 0;
      for (std::size_t j = 0; j < nodes; ++j) {
        if (i == j) continue;
        const double wanted = distances[i][j], weight = 1 / (wanted * wanted);
        const double dx = points[i].x - points[j].x, dy = points[i].y - points[j].y;
        const double pull = wanted / (std::sqrt(dx * dx + dy * dy) + 1e-9);
        x += weight * (points[j].x + pull * dx);
        y += weight * (points[j].y + pull * dy);
        weights += weight;
      }
      points[i] = {x / weights, y / weights};
    }
}

/// Moves and scales the drawing into the picture, its shape unchanged.
void fit(Points& points) {
  Point low = points.front(), high = points.front();
  for (const Point& p : points) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  const double extent = std::max({high.x - low.x, high.y - low.y, 1e-9});
  const double scale = (side - 2 * margin) / extent;
  for (Point& p : points)
    p = {side / 2 + scale * (p.x - (low.x + high.x) / 2),
         side / 2 + scale * (p.y - (low.y + high.y) / 2)};
}

Points placed(const Graph& graph) {
  Points points;
  if (graph.nodes() <= circle_nodes || is_ring(graph)) {
    points = on_circle(graph.nodes());
  } else {
    const Distances distances = distances_of(graph);
    points = scaled_distances(distances);
    relax(distances, points);
  }
  fit(points);
  return points;
}

double shortest_edge(const Graph& graph, const Points& points) {
  double shortest = side;
  for (std::size_t i = 0; i < graph.nodes(); ++i)
    for (const Node j : graph.tells(static_cast<Node>(i)))
      shortest =
          std::min(shortest, std::hypot(points[j].x - points[i].x, points[j].y - points[i].y));
  return shortest;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : text) switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      default:
        result += letter;
    }
  return result;
}

/// Lines from rim to rim; an arrow's line ends before the head.
void draw_edges(const Graph& graph, const Points& points, double radius, std::string& svg) {
  for (std::size_t i = 0; i < graph.nodes(); ++i)
    for (const Node j : graph.tells(static_cast<Node>(i))) {
      if (!graph.is_directed() && j < i) continue;
      const double dx = points[j].x - points[i].x, dy = points[j].y - points[i].y;
      const double length = std::sqrt(dx * dx + dy * dy);
      if (length <= 2 * radius) continue;
      const double ux = radius * dx / length, uy = radius * dy / length;
      fmt::format_to(std::back_inserter(svg),
                     "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"{}/>\n",
                     points[i].x + ux, points[i].y + uy, points[j].x - ux, points[j].y - uy,
                     graph.is_directed() ? " marker-end=\"url(#arrow)\"" : "");
    }
}

void draw_nodes(const Points& points, const std::vector<std::string>& labels, double radius,
                std::string& svg) {
  svg += "<g fill=\"#2f6fdb\">\n";
  for (const Point& p : points)
    fmt::format_to(std::back_inserter(svg), "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>\n",
                   p.x, p.y, radius);
  svg += "</g>\n<g fill=\"#fff\" text-anchor=\"middle\" dominant-baseline=\"central\">\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::string text;
    if (i < labels.size())
      text = escaped(labels[i]);
    else if (points.size() <= numbered_nodes)
      text = std::to_string(i);
    if (!text.empty())
      fmt::format_to(std::back_inserter(svg), "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                     points[i].x, points[i].y, text);
  }
  svg += "</g>\n";
}

}  // namespace

std::string to_svg(const Graph& graph, const std::vector<std::string>& labels) {
  const std::size_t nodes = graph.nodes();
  if (nodes == 0 || nodes > most_nodes)
    throw UserError(fmt::format("a drawing of {} nodes: must have 1 ... {}", nodes, most_nodes));
  const Points points = placed(graph);
  const double roomy = std::min(90 / std::sqrt(static_cast<double>(nodes)), 18.0);
  const double radius = std::max(2.0, std::min(roomy, 0.35 * shortest_edge(graph, points)));
  const double line = std::clamp(12 / std::sqrt(static_cast<double>(graph.edges()) + 1), 0.4, 2.0);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" "
      "font-family=\"sans-serif\" font-size=\"{1:.1f}\">\n"
      "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"6\" "
      "markerHeight=\"6\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#8892a6\"/></marker>"
      "</defs>\n<g stroke=\"#8892a6\" stroke-width=\"{2:.2f}\">\n",
      side, 0.9 * radius, line);
  draw_edges(graph, points, radius, svg);
  svg += "</g>\n";
  draw_nodes(points, labels, radius, svg);
  svg += "</svg>\n";
  return svg;
}

}  // namespace starling
