/// The processes that the nodes are spread over. All sums run in node order, so they give the same
/// bits for any number of processes.
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "starling/base/types.hpp"

namespace starling {

/// Each process holds a run of neighbouring nodes; the functions are called by all of them alike.
class Team {
 public:
  virtual ~Team() = default;

  /// The first node that this process holds.
  virtual Node first() const { return 0; }
  virtual bool is_root() const { return true; }

  /// One value a node, from those of this process's nodes.
  virtual std::vector<double> gather(std::vector<double> here) const { return here; }

  /// Lets one process after the other add its nodes' part to `sums`, which all have in the end.
  virtual void add_up(std::span<double> /*sums*/, const std::function<void()>& add_own) const {
    add_own();
  }
};

}  // namespace starling
