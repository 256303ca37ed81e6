#include "starling/engine/mpi_team.hpp"

#include <mpi.h>

#include <algorithm>
#include <utility>

#include "starling/engine/mpi_request.hpp"
#include "starling/engine/mpi_watch.hpp"

namespace starling {
namespace {

constexpr int sums_tag = 1, row_tag = 2;

/// Of bytes or floats: MPI counts in int.
constexpr std::size_t longest_message = std::size_t{1} << 28;

Placement placement_of_root(const Placement& own) {
  std::vector<int> owners = own.owners();
  MPI_Bcast(owners.data(), static_cast<int>(owners.size()), MPI_INT, 0, MPI_COMM_WORLD);
  return {std::move(owners), own.ranks()};
}

void wait_for(MPI_Request& request, const Watch& watch) {
  watch.wait_until([&] { return is_complete(request); });
}

}  // namespace

/// A piece of the sums, to which a run of this rank adds its part.
struct MpiTeam::Piece {
  std::size_t run, first_column;
  std::vector<double> sums;
  MPI_Request request = MPI_REQUEST_NULL;  ///< what brings the sums, then what takes them away
};

MpiTeam::MpiTeam(const MpiWorld& world, const Placement& placement)
    : world_(world), placement_(placement_of_root(placement)), runs_(placement_.runs()) {
  for (std::size_t r = 0; r < runs_.size(); ++r)
    if (runs_[r].rank == world_.rank()) own_runs_.push_back(r);
}

std::vector<double> MpiTeam::gather(std::vector<double> here) const {
  std::vector<int> counts, offsets;
  int nodes = 0;
  for (int rank = 0; rank < world_.size(); ++rank) {
    counts.push_back(static_cast<int>(placement_.nodes_of(rank).size()));
    offsets.push_back(nodes);
    nodes += counts.back();
  }
  std::vector<double> by_rank(placement_.nodes()), all(placement_.nodes());
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallgatherv(here.data(), static_cast<int>(here.size()), MPI_DOUBLE, by_rank.data(),
                  counts.data(), offsets.data(), MPI_DOUBLE, MPI_COMM_WORLD, &request);
  wait_for(request, *watch_);
  auto value = by_rank.cbegin();
  for (int rank = 0; rank < world_.size(); ++rank)
    for (const Node node : placement_.nodes_of(rank)) all[node] = *value++;
  return all;
}

/// The order of summation is that of the nodes. In step t, run r adds its rows to piece t - r, so
/// what it needs was made by run r - 1 in the step before. A rank asks for everything that a step
/// needs before it waits for anything, and waits for what it has sent one step later: so the ranks
/// that are furthest behind can always go on.
void MpiTeam::add_up(const Addends& addends) const {
  const std::size_t chunks = (addends.columns + chunk - 1) / chunk;
  std::vector<Piece> sent;
  for (std::size_t step = 0; step + 1 < runs_.size() + chunks; ++step) {
    std::vector<Piece> pieces = receive(step, addends.columns);
    for (Piece& piece : pieces) {
      wait_for(piece.request, *watch_);
      const Placement::Run& run = runs_[piece.run];
      addends.add({run.index, run.count, piece.first_column}, piece.sums);
      hand_on(piece, addends);
    }
    for (Piece& piece : sent) wait_for(piece.request, *watch_);
    sent = std::move(pieces);
  }
  for (Piece& piece : sent) wait_for(piece.request, *watch_);
}

/// What this rank does in a step, with the sums on their way to it. Both sides of a message go
/// through runs in ascending order, so messages between two ranks meet in the right order.
std::vector<MpiTeam::Piece> MpiTeam::receive(std::size_t step, std::size_t columns) const {
  const std::size_t chunks = (columns + chunk - 1) / chunk;
  const std::size_t first = step < chunks ? 0 : step - chunks + 1;
  std::vector<Piece> pieces;
  for (auto run = std::ranges::lower_bound(own_runs_, first);
       run != own_runs_.end() && *run <= step; ++run) {
    const std::size_t first_column = (step - *run) * chunk;
    const std::size_t count = std::min(chunk, columns - first_column);
    Piece& piece = pieces.emplace_back(Piece{*run, first_column, std::vector<double>(count)});
    if (*run > 0)
      MPI_Irecv(piece.sums.data(), static_cast<int>(count), MPI_DOUBLE, runs_[*run - 1].rank,
                sums_tag, MPI_COMM_WORLD, &piece.request);
  }
  return pieces;
}

void MpiTeam::hand_on(Piece& piece, const Addends& addends) const {
  if (piece.run + 1 == runs_.size()) {
    addends.use(piece.first_column, piece.sums);
    return;
  }
  MPI_Isend(piece.sums.data(), static_cast<int>(piece.sums.size()), MPI_DOUBLE,
            runs_[piece.run + 1].rank, sums_tag, MPI_COMM_WORLD, &piece.request);
}

void MpiTeam::share(std::span<std::byte> data) const {
  const int owner = runs_.back().rank;
  for (std::size_t first = 0; first < data.size(); first += longest_message) {
    const std::size_t count = std::min(longest_message, data.size() - first);
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibcast(data.data() + first, static_cast<int>(count), MPI_BYTE, owner, MPI_COMM_WORLD,
               &request);
    wait_for(request, *watch_);
  }
}

void MpiTeam::bring_to_root(int owner, std::span<float> row) const {
  for (std::size_t first = 0; first < row.size(); first += longest_message) {
    const auto count = static_cast<int>(std::min(longest_message, row.size() - first));
    MPI_Request request = MPI_REQUEST_NULL;
    if (owner == world_.rank())
      MPI_Isend(row.data() + first, count, MPI_FLOAT, 0, row_tag, MPI_COMM_WORLD, &request);
    else
      MPI_Irecv(row.data() + first, count, MPI_FLOAT, owner, row_tag, MPI_COMM_WORLD, &request);
    wait_for(request, *watch_);
  }
}

}  // namespace starling
