/// What becomes of step sizes where the rounds of a schedule go on for ever.
///
/// Nothing can be said of a schedule that is made for the length of a run.
#pragma once

#include <optional>

#include "starling/method/schedule.hpp"

namespace starling {

/// Whether step sizes go to zero.
inline std::optional<bool> vanishes(const Constant&) { return false; }
inline std::optional<bool> vanishes(const InverseSqrt&) { return true; }
inline std::optional<bool> vanishes(const Power& power) { return power.p > 0; }
inline std::optional<bool> vanishes(const Cosine&) { return std::nullopt; }
inline std::optional<bool> vanishes(const Staircase& stairs) { return stairs.by < 1; }

/// Whether the sum of all step sizes is infinite, so that x can get anywhere.
inline std::optional<bool> adds_up(const Constant&) { return true; }
inline std::optional<bool> adds_up(const InverseSqrt&) { return true; }
inline std::optional<bool> adds_up(const Power& power) { return power.p <= 1; }
inline std::optional<bool> adds_up(const Cosine&) { return std::nullopt; }
inline std::optional<bool> adds_up(const Staircase& stairs) { return stairs.by >= 1; }

}  // namespace starling
