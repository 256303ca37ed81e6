/// Errors that name the file that they are in.
#pragma once

#include <string>

#include "starling/base/error.hpp"

namespace starling {

/// Makes something of an experiment; says which file a mistake is in, where the error does not say
/// so itself.
template <class F>
auto naming(const std::string& file, const F& make) {
  try {
    return make();
  } catch (const UserError& error) {
    const std::string text = error.what();
    throw text.starts_with(file) ? error : UserError{file + ": " + text};
  }
}

}  // namespace starling
