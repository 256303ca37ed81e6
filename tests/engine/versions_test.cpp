/// Kernels compiled for different vector units give the same bits, and those of the formulas.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "starling/base/random.hpp"
#include "starling/base/versions.hpp"
#include "starling/engine/row_update.hpp"
#include "starling/method/amsgrad.hpp"
#include "starling/method/dadam.hpp"
#include "starling/method/dgd.hpp"
#include "starling/method/dsgd_atc.hpp"

namespace starling {
namespace {

constexpr float step = 0.01f;

/// What a kernel reads and writes; rows begin one float off a cache line.
template <class M>
struct Rows {
  std::array<std::vector<float>, state_size<M>> state;
  std::array<std::vector<float>, exchanged_size<M>> mixed;
  std::vector<float> g;
  Magnitude worst = 0;

  explicit Rows(std::size_t count) : g(count + 1) {
    Random random(count, Purpose::problem);
    const auto fill = [&](std::vector<float>& values, std::string_view variable) {
      const bool is_signed = variable == "x" || variable == "m";
      values.resize(count + 1);
      for (float& value : values) {
        const double drawn = random.normal();
        value = static_cast<float>(is_signed ? drawn : drawn * drawn + 1e-4);
      }
    };
    for (std::size_t v = 0; v < state.size(); ++v) fill(state[v], M::variables[v]);
    for (std::size_t e = 0; e < mixed.size(); ++e) fill(mixed[e], M::variables[e]);
    for (float& value : g) value = static_cast<float>(random.normal());
  }

  std::array<float*, state_size<M>> state_pointers() {
    std::array<float*, state_size<M>> pointers{};
    for (std::size_t v = 0; v < pointers.size(); ++v) pointers[v] = state[v].data() + 1;
    return pointers;
  }
  /// The mixed rows as mixtures of one term, or of three that are the same row, weighted.
  void with_mixture(std::size_t terms, const auto& use) const {
    static constexpr float one[] = {1}, three[] = {0.25f, 0.5f, 0.25f};
    std::array<const float*, exchanged_size<M>> weights{};
    std::vector<const float*> pointers;
    for (std::size_t e = 0; e < weights.size(); ++e) {
      weights[e] = terms == 1 ? one : three;
      pointers.insert(pointers.end(), terms, mixed[e].data() + 1);
    }
    use(Mixture{terms, weights.data(), pointers.data()});
  }

  std::vector<std::uint32_t> bits() const {
    std::vector<std::uint32_t> bits{worst};
    for (const std::vector<float>& variable : state)
      for (const float value : variable) bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
  }
};

/// The formulas, one element after the other: `change(state, mixed, g)`.
template <class M>
std::vector<std::uint32_t> plain(Rows<M> rows, std::size_t count, std::size_t terms,
                                 const auto& change) {
  for (std::size_t i = 1; i <= count; ++i) {
    std::array<float, state_size<M>> values{};
    std::array<float, exchanged_size<M>> mixed{};
    for (std::size_t v = 0; v < values.size(); ++v) values[v] = rows.state[v][i];
    for (std::size_t e = 0; e < mixed.size(); ++e) {
      const float m = rows.mixed[e][i];
      mixed[e] = terms == 1 ? m : 0.25f * m + 0.5f * m + 0.25f * m;
    }
    auto s = std::bit_cast<typename M::State>(values);
    change(s, std::bit_cast<typename M::Exchanged>(mixed), rows.g[i]);
    values = std::bit_cast<std::array<float, state_size<M>>>(s);
    for (std::size_t v = 0; v < values.size(); ++v) {
      rows.state[v][i] = values[v];
      rows.worst = std::max(rows.worst, std::bit_cast<std::uint32_t>(std::abs(values[v])));
    }
  }
  return rows.bits();
}

/// `bits_after(kernel)` for every version that this processor can run.
template <class AllVersions>
void expect_all(const std::vector<std::uint32_t>& expected, const auto& bits_after) {
  EXPECT_TRUE(bits_after(&AllVersions::portable) == expected) << "portable";
  EXPECT_TRUE(bits_after(AllVersions::widest()) == expected) << "widest";
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v3")) {
    EXPECT_TRUE(bits_after(&AllVersions::avx2) == expected) << "avx2";
  }
  if (__builtin_cpu_supports("x86-64-v4")) {
    EXPECT_TRUE(bits_after(&AllVersions::avx512) == expected) << "avx512";
  }
#endif
}

/// Every tail of the widest unit, and some longer rows.
std::vector<std::size_t> counts() {
  std::vector<std::size_t> counts;
  for (std::size_t count = 0; count <= 40; ++count) counts.push_back(count);
  counts.insert(counts.end(), {63, 64, 65, 127, 1000, 1003});
  return counts;
}

template <class M, std::size_t terms>
void expect_versions_of_adapt_mixed_agree() {
  const M method{};
  for (const std::size_t count : counts()) {
    const Rows<M> rows(count);
    const auto expected = plain<M>(rows, count, terms, [&](auto& s, const auto& mixed, float g) {
      method.adapt(s, mixed, g, Pace{step});
    });
    expect_all<Versions<&row::adapt_mixed<M, terms>>>(expected, [&](auto kernel) {
      Rows<M> copy = rows;
      copy.with_mixture(terms, [&](const Mixture& mixture) {
        copy.worst = kernel(&method, copy.state_pointers().data(), &mixture, copy.g.data() + 1,
                            Pace{step, 1}, count);
      });
      return copy.bits();
    });
  }
}

TEST(VersionsTest, OfDgdGiveTheSameBits) {
  expect_versions_of_adapt_mixed_agree<Dgd, 1>();
  expect_versions_of_adapt_mixed_agree<Dgd, 3>();
}

TEST(VersionsTest, OfAmsgradGiveTheSameBits) {
  expect_versions_of_adapt_mixed_agree<Amsgrad, 1>();
  expect_versions_of_adapt_mixed_agree<Amsgrad, 3>();
}

TEST(VersionsTest, OfDadamGiveTheSameBits) { expect_versions_of_adapt_mixed_agree<Dadam, 3>(); }

TEST(VersionsTest, OfDsgdAtcGiveTheSameBits) {
  const DsgdAtc method{};
  for (const std::size_t count : counts()) {
    const Rows<DsgdAtc> rows(count);
    const auto adapted = plain<DsgdAtc>(
        rows, count, 1, [&](auto& s, const auto&, float g) { method.adapt(s, g, step); });
    expect_all<Versions<&row::adapt<DsgdAtc>>>(adapted, [&](auto kernel) {
      Rows<DsgdAtc> copy = rows;
      copy.worst =
          kernel(&method, copy.state_pointers().data(), copy.g.data() + 1, Pace{step, 1}, count);
      return copy.bits();
    });
    const auto combined = plain<DsgdAtc>(
        rows, count, 3, [&](auto& s, const auto& mixed, float) { method.combine(s, mixed, step); });
    expect_all<Versions<&row::combine<DsgdAtc, 3>>>(combined, [&](auto kernel) {
      Rows<DsgdAtc> copy = rows;
      copy.with_mixture(3, [&](const Mixture& mixture) {
        copy.worst = kernel(&method, copy.state_pointers().data(), &mixture, Pace{step, 1}, count);
      });
      return copy.bits();
    });
  }
}

TEST(VersionsTest, SeeWhatIsNotFinite) {
  const Dgd method{};
  const auto worst_of = [&](Rows<Dgd>& rows) {
    Magnitude worst = 0;
    rows.with_mixture(1, [&](const Mixture& mixture) {
      worst = Versions<&row::adapt_mixed<Dgd, 1>>::widest()(
          &method, rows.state_pointers().data(), &mixture, rows.g.data() + 1, Pace{step, 1}, 100);
    });
    return worst;
  };
  for (const float bad : {NAN, -NAN, INFINITY, -INFINITY})
    for (const std::size_t at : {1, 17, 100}) {
      Rows<Dgd> rows(100);
      rows.g[at] = bad;
      EXPECT_FALSE(is_finite(worst_of(rows)));
    }
  Rows<Dgd> rows(100);
  EXPECT_TRUE(is_finite(worst_of(rows)));
}

}  // namespace
}  // namespace starling
