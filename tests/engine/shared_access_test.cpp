/// Both forms of access to shared numbers are copies, bit for bit, and never of half a float.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/engine/shared_access.hpp"

namespace starling {
namespace {

/// load or store.
using Move = void (*)(const float*, float*, std::size_t);

struct Form {
  std::string name;
  SharedAccess access;
};

std::vector<Form> forms() {
  std::vector<Form> list{{"strict", strict_access()}};
  if (const std::optional<SharedAccess> fast = fast_access()) list.push_back({"fast", *fast});
  return list;
}

/// Any bits but those of a NaN that signals, which a copy may silence.
std::vector<float> random_bits(std::size_t count, std::uint64_t key) {
  constexpr std::uint32_t exponent = 0x7f800000, quiet = 0x00400000;
  Random random(key, Purpose::problem);
  std::vector<float> values(count);
  for (float& value : values) {
    const std::uint32_t bits = random();
    value = std::bit_cast<float>((bits & exponent) == exponent ? bits | quiet : bits);
  }
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Whether `move` changes `count` floats from `to` on as memcpy does, and nothing else.
bool is_plain_copy(Move move, std::size_t count, std::size_t from, std::size_t to) {
  constexpr std::size_t room = 40;
  const std::vector<float> source = random_bits(count + room, 1);
  std::vector<float> read = source, written = random_bits(count + room, 2), expected = written;
  std::memcpy(expected.data() + to, source.data() + from, count * sizeof(float));
  move(read.data() + from, written.data() + to, count);
  return same_bits(read, source) && same_bits(written, expected);
}

/// Every length up to some vectors, and longer ones around whole numbers of them.
std::vector<std::size_t> lengths() {
  std::vector<std::size_t> list(75);
  std::iota(list.begin(), list.end(), std::size_t{0});
  list.insert(list.end(), {95, 96, 97, 127, 128, 129, 1023});
  return list;
}

TEST(SharedAccessTest, MovesWhatAPlainCopyMovesWhereverItLies) {
  // Both equal a plain copy, so they equal each other. Sixteen floats are a cache line.
  constexpr std::array<std::size_t, 3> own_offsets{0, 1, 6};
  for (const Form& form : forms())
    for (const std::size_t count : lengths())
      for (std::size_t shared = 0; shared < 16; ++shared)
        for (const std::size_t own : own_offsets) {
          ASSERT_TRUE(is_plain_copy(form.access.load, count, shared, own))
              << form.name << " load of " << count << " from " << shared << " to " << own;
          ASSERT_TRUE(is_plain_copy(form.access.store, count, own, shared))
              << form.name << " store of " << count << " from " << own << " to " << shared;
        }
}

TEST(SharedAccessTest, FastIsThereWhereItIsWritten) {
#if defined(__x86_64__)
  EXPECT_EQ(fast_access().has_value(), __builtin_cpu_supports("avx") != 0);
#elif defined(__aarch64__)
  EXPECT_TRUE(fast_access().has_value());
#else
  EXPECT_FALSE(fast_access().has_value());
#endif
}

TEST(SharedAccessTest, AReaderNeverSeesHalfAFloat) {
  // All bytes of the two numbers differ, so that any mixture is a third number.
  constexpr std::array<std::uint32_t, 2> numbers{0x11223344, 0x55667788};
  constexpr std::size_t count = 101;
  for (const Form& form : forms()) {
    std::vector<float> shared(count + 1, std::bit_cast<float>(numbers[0])), own(count);
    std::atomic<bool> stop = false;
    std::size_t mixtures = 0;
    {
      const std::jthread writer([&] {
        const std::array<std::vector<float>, 2> values{
            std::vector<float>(count, std::bit_cast<float>(numbers[0])),
            std::vector<float>(count, std::bit_cast<float>(numbers[1]))};
        for (std::size_t n = 0; !stop; ++n)
          form.access.store(values[n % 2].data(), shared.data() + 1, count);
      });
      for (int time = 0; time < 20000; ++time) {
        form.access.load(shared.data() + 1, own.data(), count);
        mixtures += static_cast<std::size_t>(std::ranges::count_if(own, [&](float value) {
          const auto bits = std::bit_cast<std::uint32_t>(value);
          return bits != numbers[0] && bits != numbers[1];
        }));
      }
      stop = true;
    }
    EXPECT_EQ(mixtures, 0u) << form.name;
  }
}

}  // namespace
}  // namespace starling
