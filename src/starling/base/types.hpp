/// The numbers that every part of Starling counts with.
#pragma once

#include <cstdint>

namespace starling {

using Node = std::uint32_t;   ///< nodes are numbered 0 ... N-1
using Round = std::uint64_t;  ///< rounds are numbered 1, 2, ...

}  // namespace starling
