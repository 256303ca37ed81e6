/// What stands in for the mpi engine in a build without MPI.
#include <cstdlib>

#include "starling/base/error.hpp"
#include "starling/engine/mpi.hpp"

namespace starling {

namespace {

[[noreturn]] void refuse() {
  throw UserError{"this build has no MPI: configure it with -DSTARLING_MPI=ON"};
}

}  // namespace

bool started_as_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"})
    if (std::getenv(name)) return true;
  return false;
}

MpiWorld::MpiWorld() { refuse(); }
MpiWorld::~MpiWorld() = default;
std::size_t MpiWorld::ranks_here() const { return 1; }
std::string MpiWorld::first_of(const std::string& text) const { return text; }
void MpiWorld::abort(int status) const { std::_Exit(status); }

std::unique_ptr<Engine> make_mpi_engine(const MpiWorld&, const RowUpdate&, Problem&,
                                        WeightsSequence&, StepSize, Pool&, const MpiPlan&) {
  refuse();
}

}  // namespace starling
