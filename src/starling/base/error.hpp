/// The two ways in which Starling refuses to go on.
#pragma once

#include <stdexcept>

namespace starling {

/// A mistake of the user's: the message is one line that names the file, line or key, what was
/// found and what is allowed. The program prints it and ends with status 2.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Something failed while running (a full disk, say). The program ends with status 1.
struct RunError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace starling
