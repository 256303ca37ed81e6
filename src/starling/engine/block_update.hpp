/// The update of a block, as both asynchronous engines make it: the same bits from each.
#pragma once

#include <cstddef>

#include "starling/method/asynchronous.hpp"

namespace starling {

/// x and u become what the rule makes of them; `count` floats each.
void update_floats(BlockRule rule, const float* g, float step, float* x, float* u,
                   std::size_t count);

/// The same without momentum: nothing is kept of u.
void update_floats(const float* g, float step, float* x, std::size_t count);

}  // namespace starling
