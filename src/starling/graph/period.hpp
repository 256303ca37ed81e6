/// How fast weights that change from round to round mix, and what messages they send.
#pragma once

#include <cstddef>

#include "starling/base/types.hpp"
#include "starling/graph/graph.hpp"
#include "starling/graph/sequence.hpp"

namespace starling {

/// How much a period of the sequence shrinks the distance to the average at least:
/// ||P - 11'/N||_2 with P = W_T ... W_1, W the pull weights, which must be doubly stochastic.
/// For fixed weights it is `contraction` of the matrix. std::invalid_argument where the sequence
/// has no period.
///
/// Up to `dense_up_to` nodes the product is formed, and the answer is as exact as doubles are. Of
/// more nodes only vectors are multiplied, and the answer is never too large: eight digits or so,
/// fewer where the greatest singular values lie close together (long rings), and two where rounds
/// and nodes are so many that the work ends early. 0 means that some round left less than 1e-13.
double contraction_of_period(WeightsSequence& sequence, std::size_t dense_up_to = 400);

/// The mean factor a round over the first rounds of a sequence, with a period or without:
/// (||W_T ... W_1 - 11'/N||_2)^(1/T), T = `rounds`. Same conditions and accuracy;
/// std::invalid_argument for 0 rounds. It does not underflow, however many the rounds.
double mean_contraction(WeightsSequence& sequence, Round rounds, std::size_t dense_up_to = 400);

/// The graph of all messages that can occur, which are the entries off the diagonal, of pull or
/// push, that are not 0: over the period, or over the first `rounds` rounds of a sequence that has
/// none. Directed unless every message goes both ways.
Graph union_of(WeightsSequence& sequence, Round rounds);

}  // namespace starling
