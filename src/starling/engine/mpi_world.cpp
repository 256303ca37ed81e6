#include "starling/engine/mpi_world.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "starling/base/error.hpp"

namespace starling {

bool started_as_rank() {
  // OpenMPI; MPICH and Intel MPI; Slurm with PMIx.
  return std::ranges::any_of(std::array{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"},
                             [](const char* name) { return std::getenv(name) != nullptr; });
}

MpiWorld::MpiWorld() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
  if (provided < MPI_THREAD_SERIALIZED)
    throw UserError{"this MPI library does not allow calls from several threads in turn"};
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  MPI_Get_processor_name(name.data(), &length);
  std::vector<char> names(static_cast<std::size_t>(size) * name.size());
  MPI_Allgather(name.data(), static_cast<int>(name.size()), MPI_CHAR, names.data(),
                static_cast<int>(name.size()), MPI_CHAR, MPI_COMM_WORLD);
  for (std::size_t r = 0; r < static_cast<std::size_t>(size); ++r)
    hosts_.emplace_back(names.data() + r * name.size());
}

MpiWorld::~MpiWorld() { MPI_Finalize(); }

std::size_t MpiWorld::ranks_here() const {
  return static_cast<std::size_t>(std::ranges::count(hosts_, host(rank_)));
}

std::string MpiWorld::first_of(const std::string& text) const {
  int first = text.empty() ? size() : rank_;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (first == size()) return "";
  std::string found = text;
  if (first > 0) found = fmt::format("rank {} on {}: {}", first, host(first), text);
  auto length = found.size();
  MPI_Bcast(&length, sizeof length, MPI_BYTE, first, MPI_COMM_WORLD);
  found.resize(length);
  MPI_Bcast(found.data(), static_cast<int>(length), MPI_CHAR, first, MPI_COMM_WORLD);
  return found;
}

void MpiWorld::abort(int status) const {
  MPI_Abort(MPI_COMM_WORLD, status);
  std::_Exit(status);
}

}  // namespace starling
