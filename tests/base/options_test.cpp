/// Options: reading with errors that name place, value and rule; writing; listing.
#include "starling/base/options.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test_support.hpp"

namespace starling {
namespace {

struct EveryType {
  float rate = 0.9f;
  double step = 0.5;
  std::int64_t count = 3;
  bool rotated = false;
  std::string word = "ring";
  std::vector<double> list{1, 2};
  std::vector<std::vector<double>> rows;

  static void options(auto& self, auto&& option) {
    option("rate", self.rate, decay_rate, "a float");
    option("step", self.step, positive, "a double");
    option("count", self.count, at_least(1), "a whole number");
    option("rotated", self.rotated, "a choice of two");
    option("word", self.word, Words{"ring", "star"}, "a word");
    option("list", self.list, not_negative, "numbers");
    option("rows", self.rows, any_number, "lists of numbers");
  }
};

Value text(const std::string& value) { return Value::of(value); }
Value whole(std::int64_t value) { return Value::of(value); }

/// A table with one value, given in line 7.
Table with(std::string_view key, Value value) {
  value.line = 7;
  Table table;
  table.set(key, std::move(value));
  return table;
}

EveryType read_from(const Table& table) {
  EveryType object;
  OptionReader reader(table, "some.toml", "part");
  read_options(reader, object);
  reader.finish();
  return object;
}

std::string error_about(std::string_view key, const Value& value) {
  return user_error_of([&] { read_from(with(key, value)); });
}

TEST(OptionsTest, ReadEveryType) {
  Table table;
  table.set("rate", Value::of(0.25));
  table.set("step", Value::of(1.5));
  table.set("count", whole(8));
  table.set("rotated", Value::of(true));
  table.set("word", text("star"));
  table.set("list", Value::of(std::vector<double>{4, 5, 6}));
  table.set("rows", Value::of(std::vector<std::vector<double>>{{1, 2}, {}, {3}}));
  const EveryType object = read_from(table);
  EXPECT_EQ(object.rate, 0.25f);
  EXPECT_EQ(object.step, 1.5);
  EXPECT_EQ(object.count, 8);
  EXPECT_TRUE(object.rotated);
  EXPECT_EQ(object.word, "star");
  EXPECT_EQ(object.list, (std::vector<double>{4, 5, 6}));
  EXPECT_EQ(object.rows, (std::vector<std::vector<double>>{{1, 2}, {}, {3}}));
}

TEST(OptionsTest, KeysNotGivenKeepTheirDefaults) {
  const EveryType object = read_from(Table{});
  EXPECT_EQ(object.rate, 0.9f);
  EXPECT_EQ(object.step, 0.5);
  EXPECT_EQ(object.count, 3);
  EXPECT_FALSE(object.rotated);
  EXPECT_EQ(object.word, "ring");
  EXPECT_EQ(object.list, (std::vector<double>{1, 2}));
}

TEST(OptionsTest, WholeNumbersServeAsNumbers) {
  EXPECT_EQ(read_from(with("step", whole(2))).step, 2.0);
  EXPECT_EQ(read_from(with("rate", whole(0))).rate, 0.0f);
  EXPECT_EQ(read_from(with("list", Value{.data = List{whole(2), Value::of(0.5)}})).list,
            (std::vector<double>{2, 0.5}));
}

TEST(OptionsTest, OneNumberStandsForAListOfOne) {
  EXPECT_EQ(read_from(with("list", whole(4))).list, (std::vector<double>{4}));
  EXPECT_EQ(read_from(with("list", Value::of(0.5))).list, (std::vector<double>{0.5}));
  EXPECT_EQ(read_from(with("rows", Value{.data = List{whole(1), whole(2)}})).rows,
            (std::vector<std::vector<double>>{{1}, {2}}));
}

TEST(OptionsTest, AnEmptyListReplacesTheDefault) {
  EXPECT_TRUE(read_from(with("list", Value{.data = List{}})).list.empty());
}

TEST(OptionsTest, AWrongTypeSaysWhatWasFound) {
  EXPECT_EQ(error_about("rate", text("x")),
            "some.toml:7: part.rate = \"x\": must be a number, not text");
  EXPECT_EQ(error_about("step", Value::of(true)),
            "some.toml:7: part.step = true: must be a number, not true/false");
  EXPECT_EQ(error_about("count", Value::of(1.5)),
            "some.toml:7: part.count = 1.5: must be a whole number, not number");
  EXPECT_EQ(error_about("rotated", whole(1)),
            "some.toml:7: part.rotated = 1: must be true or false, not whole number");
  EXPECT_EQ(error_about("word", Value::of(true)),
            "some.toml:7: part.word = true: must be text, not true/false");
  EXPECT_EQ(error_about("list", text("x")),
            "some.toml:7: part.list: \"x\" must be a number, not text");
  EXPECT_EQ(error_about("list", Value{.data = List{whole(1), text("x")}}),
            "some.toml:7: part.list: \"x\" must be a number, not text");
  EXPECT_EQ(error_about("rows", whole(4)),
            "some.toml:7: part.rows = 4: must be a list of lists of numbers, not whole number");
  EXPECT_TRUE(says(error_about("rows", Value{.data = List{whole(1), text("x")}}),
                   "part.rows: \"x\" must be a number, not text"));
  EXPECT_TRUE(says(error_about("step", Value{.data = Table{}}), "must be a number, not table"));
}

TEST(OptionsTest, OutOfRangeSaysTheRange) {
  EXPECT_EQ(error_about("rate", Value::of(1.0)), "some.toml:7: part.rate = 1.0: must be in [0, 1)");
  EXPECT_EQ(error_about("rate", whole(-1)), "some.toml:7: part.rate = -1: must be in [0, 1)");
  EXPECT_EQ(error_about("step", whole(0)), "some.toml:7: part.step = 0: must be > 0");
  EXPECT_EQ(error_about("count", whole(0)), "some.toml:7: part.count = 0: must be >= 1");
  EXPECT_EQ(error_about("list", Value::of(std::vector<double>{1, -2.5})),
            "some.toml:7: part.list: -2.5 must be >= 0");
  EXPECT_EQ(error_about("step", Value::of(std::numeric_limits<double>::quiet_NaN())),
            "some.toml:7: part.step = nan: must be > 0");
}

TEST(OptionsTest, TheRangeHoldsForTheFloatThatIsUsed) {
  // The nearest float is 1, which [0, 1) does not hold.
  EXPECT_TRUE(says(error_about("rate", Value::of(0.99999999999)), "must be in [0, 1)"));
}

TEST(OptionsTest, AnUnknownWordSuggestsTheNearest) {
  EXPECT_EQ(error_about("word", text("rong")),
            "some.toml:7: part.word = \"rong\": unknown (did you mean \"ring\"?)");
  EXPECT_EQ(error_about("word", text("hypercube")),
            "some.toml:7: part.word = \"hypercube\": unknown (allowed: ring, star)");
}

TEST(OptionsTest, AnUnknownKeySuggestsTheNearest) {
  EXPECT_EQ(error_about("stpe", whole(1)),
            "some.toml:7: part.stpe: unknown key (did you mean \"step\"?)");
  EXPECT_EQ(error_about("temperature", whole(1)),
            "some.toml:7: part.temperature: unknown key "
            "(allowed: rate, step, count, rotated, word, list, rows)");
}

TEST(OptionsTest, TakenKeysAreKnown) {
  const Table table = with("graph", text("ring"));
  OptionReader reader(table, "some.toml", "part");
  EXPECT_NE(user_error_of([&] { reader.finish(); }), "");
  EXPECT_NE(reader.take("graph"), nullptr);
  EXPECT_EQ(reader.take("weights"), nullptr);
  EXPECT_EQ(user_error_of([&] { reader.finish(); }), "");
}

TEST(OptionsTest, ErrorsNameThePlace) {
  const auto place = [](int line, const std::string& file, const std::string& path) {
    Table table = with("step", whole(-1));
    table.find("step")->line = line;
    return user_error_of([&] {
      double step = 1;
      OptionReader(table, file, path)("step", step, positive, "");
    });
  };
  EXPECT_EQ(place(3, "a.toml", "method"), "a.toml:3: method.step = -1: must be > 0");
  EXPECT_EQ(place(0, "a.toml", "method"), "a.toml: method.step = -1: must be > 0");
  EXPECT_EQ(place(3, "a.toml", ""), "a.toml:3: step = -1: must be > 0");
  EXPECT_EQ(place(3, "", "method"), "method.step = -1: must be > 0");
  EXPECT_EQ(place(command_line, "a.toml", "method"), "--set: method.step = -1: must be > 0");
}

TEST(OptionsTest, AreWrittenInTheirOrder) {
  Table table;
  write_options(EveryType{}, table);
  EXPECT_EQ(to_toml(Value{.data = table}),
            "{ rate = 0.9, step = 0.5, count = 3, rotated = false, word = \"ring\", "
            "list = [1.0, 2.0], rows = [] }");
}

TEST(OptionsTest, WhatIsWrittenReadsBack) {
  const EveryType object{.rate = 0.3f,
                         .step = 1.0 / 3,
                         .count = 1234567890123,
                         .rotated = true,
                         .word = "star",
                         .list = {0.1},
                         .rows = {{1.0 / 7}, {2, 3}}};
  Table table;
  write_options(object, table);
  const EveryType again = read_from(table);
  EXPECT_EQ(again.rate, object.rate);
  EXPECT_EQ(again.step, object.step);
  EXPECT_EQ(again.count, object.count);
  EXPECT_EQ(again.rotated, object.rotated);
  EXPECT_EQ(again.word, object.word);
  EXPECT_EQ(again.list, object.list);
  EXPECT_EQ(again.rows, object.rows);
}

TEST(OptionsTest, AreListedWithTypeDefaultRangeAndHelp) {
  const std::vector<OptionInfo> list = describe_options<EveryType>();
  const std::string expected[][5] = {
      {"rate", "number", "0.9", "in [0, 1)", "a float"},
      {"step", "number", "0.5", "> 0", "a double"},
      {"count", "whole number", "3", ">= 1", "a whole number"},
      {"rotated", "true/false", "false", "", "a choice of two"},
      {"word", "text", "\"ring\"", "ring, star", "a word"},
      {"list", "list", "[1.0, 2.0]", ">= 0", "numbers"},
      {"rows", "list", "[]", "any finite number", "lists of numbers"}};
  ASSERT_EQ(list.size(), std::size(expected));
  for (std::size_t k = 0; k < list.size(); ++k) {
    EXPECT_EQ(list[k].name, expected[k][0]);
    EXPECT_EQ(list[k].type, expected[k][1]) << list[k].name;
    EXPECT_EQ(list[k].initial, expected[k][2]) << list[k].name;
    EXPECT_EQ(list[k].range, expected[k][3]) << list[k].name;
    EXPECT_EQ(list[k].help, expected[k][4]) << list[k].name;
  }
}

TEST(RangeTest, HasOpenAndClosedEnds) {
  EXPECT_FALSE(positive.contains(0));
  EXPECT_TRUE(positive.contains(1e-300));
  EXPECT_TRUE(not_negative.contains(0));
  EXPECT_TRUE(fraction.contains(1));
  EXPECT_FALSE(fraction.contains(1.5));
  EXPECT_TRUE(decay_rate.contains(0));
  EXPECT_FALSE(decay_rate.contains(1));
  EXPECT_TRUE(between(2, 3).contains(3));
  EXPECT_FALSE(between(2, 3).contains(1.9));
  EXPECT_FALSE(fraction.contains(std::numeric_limits<double>::quiet_NaN()));
}

TEST(RangeTest, IsToldInWords) {
  EXPECT_EQ(to_string(any_number), "any finite number");
  EXPECT_EQ(to_string(positive), "> 0");
  EXPECT_EQ(to_string(at_least(2)), ">= 2");
  EXPECT_EQ(to_string(between(0.5, 3)), "in [0.5, 3]");
  EXPECT_EQ(to_string(Range{.low = 0, .high = 1, .low_open = true}), "in (0, 1]");
  EXPECT_EQ(to_string(Range{.low = 0, .high = 1, .high_open = true}), "in [0, 1)");
  EXPECT_EQ(to_string(Range{.high = 5}), "<= 5");
  EXPECT_EQ(to_string(Range{.high = 5, .high_open = true}), "< 5");
}

TEST(NearestTest, TakesTheFewestEdits) {
  const std::vector<std::string_view> names{"grid", "ring", "star"};
  EXPECT_EQ(nearest("ring", names), "ring");
  EXPECT_EQ(nearest("rign", names), "ring");  // two letters exchanged
  EXPECT_EQ(nearest("gird", names), "grid");
  EXPECT_EQ(nearest("stars", names), "star");
  EXPECT_EQ(nearest("tar", names), "star");
}

TEST(NearestTest, GivesNothingWhereNoneIsNear) {
  EXPECT_EQ(nearest("complete", {"grid", "ring", "star"}), "");
  EXPECT_EQ(nearest("xyz", {"ring"}), "");
  EXPECT_EQ(nearest("ring", {}), "");
}

TEST(NearestTest, LongWordsMayHaveMoreEdits) {
  EXPECT_EQ(nearest("wats-strogaz", {"watts-strogatz"}), "watts-strogatz");
  EXPECT_EQ(nearest("barabsi-abrt", {"barabasi-albert"}), "barabasi-albert");  // three
  EXPECT_EQ(nearest("abc", {"abcdef"}), "");                                   // three as well
}

}  // namespace
}  // namespace starling
