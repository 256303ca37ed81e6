/// Runs the built program on several ranks, as `mpirun` does.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "program.hpp"

namespace starling {

/// What OpenMPI needs to start as root and with more ranks than cores, and what keeps waiting ranks
/// from starving the others. The one place for it. MPICH ignores these.
inline void prepare_environment() {
  for (const auto& [name, value] : {std::pair{"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                                    {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                                    {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
                                    {"OMPI_MCA_hwloc_base_binding_policy", "none"},
                                    {"OMPI_MCA_mpi_yield_when_idle", "1"},
                                    {"OMP_NUM_THREADS", "1"},
                                    {"OPENBLAS_NUM_THREADS", "1"},
                                    {"GOMP_SPINCOUNT", "1000"}})
    setenv(name, value, 1);
}

/// Runs `starling ARGUMENTS` in a folder on so many ranks, for two minutes at most.
inline ProgramResult run_ranks(const std::filesystem::path& folder, int ranks,
                               const std::string& arguments) {
  prepare_environment();
  return run_command(
      folder, fmt::format("timeout 120 " STARLING_MPIEXEC " -n {} " STARLING_PROGRAM " {}", ranks,
                          arguments));
}

}  // namespace starling
