/// The methods that Kungurtsev, Egan, Chatterjee & Alistarh, arXiv 1905.11845, compare, as settings
/// of one mechanism.
#pragma once

#include "starling/method/asynchronous.hpp"

namespace starling {

/// One core: stochastic subgradient descent with momentum.
struct Sgd : Asynchronous {
  Sgd() { cores = 1; }
  static void options(auto& self, auto&& option) {
    option("momentum", self.momentum, decay_rate, "m: decay of the momentum");
  }
};

/// Nothing is locked, everybody updates everything; updates may get lost.
struct Hogwild : Asynchronous {};

/// Reads are free, writes are consistent.
struct Assm : Asynchronous {
  Assm() { write_lock = "whole"; }
};

/// Reads are consistent as well: every subgradient belongs to one iterate.
struct AssmConsistent : Asynchronous {
  AssmConsistent() { read_lock = write_lock = "whole"; }
};

/// Every core owns a block, so nothing needs a lock.
struct Passm : Asynchronous {
  Passm() { partition = "tensors"; }
};

/// The same with blocks that are read and written as a whole.
struct PassmLocked : Asynchronous {
  PassmLocked() {
    partition = "tensors";
    read_lock = write_lock = "block";
  }
};

}  // namespace starling
