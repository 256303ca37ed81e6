#include "starling/engine/shared_state.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "starling/engine/block_update.hpp"

namespace starling {
namespace {

constexpr std::size_t line = 64 / sizeof(float);

/// Floats updated at a time: a core's copies of them stay in its first-level cache.
constexpr std::size_t stretch = 2048;

std::size_t round_up(std::size_t floats) { return (floats + line - 1) / line * line; }

std::size_t room_for(std::span<const Part> blocks) {
  std::size_t floats = 0;
  for (const Part& block : blocks) floats += round_up(block.count);
  return floats;
}

}  // namespace

SharedState::SharedState(const Asynchronous& method, std::vector<Part> blocks,
                         std::span<const float> start, SharedAccess access)
    : rule_{method.momentum},
      blocks_(std::move(blocks)),
      access_(access),
      read_(lock_of(method.read_lock)),
      write_(lock_of(method.write_lock)),
      locks_(blocks_.size()),
      x_(room_for(blocks_)),
      u_(rule_.momentum > 0 ? room_for(blocks_) : line) {
  std::size_t offset = 0;
  for (const Part& block : blocks_) {
    offsets_.push_back(offset);
    std::copy_n(start.data() + block.first, block.count, x_.data() + offset);
    offset += round_up(block.count);
  }
}

SharedState::Lock SharedState::lock_of(const std::string& word) {
  return word == "whole" ? Lock::whole : word == "block" ? Lock::block : Lock::none;
}

void SharedState::load_x(std::size_t block, std::span<float> own) const {
  const Part& part = blocks_[block];
  access_.load(x_.data() + offsets_[block], own.data() + part.first, part.count);
}

void SharedState::update_block(std::size_t block, std::span<const float> g, float step) {
  std::array<float, stretch> x, u;
  const Part& part = blocks_[block];
  float* const shared_x = x_.data() + offsets_[block];
  float* const shared_u = u_.data() + offsets_[block];
  for (std::size_t k = 0; k < part.count; k += stretch) {
    const std::size_t count = std::min(stretch, part.count - k);
    const float* const slope = g.data() + part.first + k;
    access_.load(shared_x + k, x.data(), count);
    if (rule_.momentum > 0) {
      access_.load(shared_u + k, u.data(), count);
      update_floats(rule_, slope, step, x.data(), u.data(), count);
      access_.store(u.data(), shared_u + k, count);
    } else {
      update_floats(slope, step, x.data(), count);
    }
    access_.store(x.data(), shared_x + k, count);
  }
}

void SharedState::copy_x(std::span<float> own) {
  const auto whole = hold<std::shared_lock>(write_ == Lock::whole, whole_);
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const auto block = hold<std::shared_lock>(write_ == Lock::block, locks_[b].mutex);
    load_x(b, own);
  }
}

void SharedState::copy_momentum(std::span<float> own) const {
  if (rule_.momentum == 0) {
    std::ranges::fill(own, 0.0f);
    return;
  }
  for (std::size_t b = 0; b < blocks_.size(); ++b)
    access_.load(u_.data() + offsets_[b], own.data() + blocks_[b].first, blocks_[b].count);
}

}  // namespace starling
