#include "starling/engine/mpi_agree.hpp"

#include <mpi.h>

#include <array>
#include <cstdint>

#include "starling/engine/mpi_request.hpp"

namespace starling {
namespace {

constexpr double never = 1e300;

/// A number and the rank that has it, as MPI_DOUBLE_INT has them.
struct Least {
  double value;
  int rank;
};

Least least_of_all(double value, const MpiWorld& world, const Watch& watch) {
  const Least own{value, world.rank()};
  Least least{};
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallreduce(&own, &least, 1, MPI_DOUBLE_INT, MPI_MINLOC, MPI_COMM_WORLD, &request);
  watch.wait_until([&] { return is_complete(request); });
  return least;
}

void broadcast(void* data, int count, MPI_Datatype type, int from, const Watch& watch) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibcast(data, count, type, from, MPI_COMM_WORLD, &request);
  watch.wait_until([&] { return is_complete(request); });
}

}  // namespace

std::optional<Divergence> earliest_of_all(const std::optional<Divergence>& seen, bool is_origin,
                                          const MpiWorld& world, const Watch& watch) {
  double order = never;
  if (seen) order = static_cast<double>(seen->round) * 2 + (is_origin ? 0 : 1);
  const Least earliest = least_of_all(order, world, watch);
  if (earliest.value == never) return std::nullopt;
  // Several ranks may have seen one; what is left to compare is which nodes.
  const bool is_candidate = seen && order == earliest.value;
  const double node = is_candidate ? static_cast<double>(seen->node) : never;
  const int from = least_of_all(node, world, watch).rank;
  Divergence divergence = seen.value_or(Divergence{});
  std::array<std::uint64_t, 3> numbers{divergence.round, divergence.node,
                                       divergence.variable.size()};
  broadcast(numbers.data(), 3, MPI_UINT64_T, from, watch);
  divergence.round = numbers[0];
  divergence.node = static_cast<Node>(numbers[1]);
  divergence.variable.resize(numbers[2]);
  broadcast(divergence.variable.data(), static_cast<int>(numbers[2]), MPI_CHAR, from, watch);
  return divergence;
}

}  // namespace starling
