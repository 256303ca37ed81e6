/// For the mpi engine's own files: they see MPI.
#pragma once

#include <mpi.h>

namespace starling {

/// Whether a request is done; MPI gets on with it meanwhile.
inline bool is_complete(MPI_Request& request) {
  int done = 0;
  MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  return done != 0;
}

}  // namespace starling
