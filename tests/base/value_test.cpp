/// Values of experiment files: how they are kept and how TOML writes them.
#include "starling/base/value.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace starling {
namespace {

Value text(const std::string& value) { return Value::of(value); }
Value whole(std::int64_t value) { return Value::of(value); }

TEST(ValueTest, FloatsAreWrittenWithAFloatsDigits) {
  EXPECT_EQ(to_toml(Value::of(0.1f)), "0.1");
  EXPECT_EQ(to_toml(Value::of(0.999f)), "0.999");
  EXPECT_EQ(to_toml(Value::of(1e-6f)), "1e-06");
  EXPECT_EQ(to_toml(Value::of(double{0.1f})), "0.10000000149011612");
  EXPECT_EQ(to_toml(Value::of(0.1)), "0.1");
}

TEST(ValueTest, NumbersStayWholeOrNot) {
  EXPECT_EQ(to_toml(whole(3)), "3");
  EXPECT_EQ(to_toml(Value::of(3.0)), "3.0");
  EXPECT_EQ(to_toml(Value::of(3.0f)), "3.0");
  EXPECT_EQ(to_toml(Value::of(-0.0)), "-0.0");
  EXPECT_EQ(to_toml(Value::of(1e300)), "1e+300");
  EXPECT_EQ(to_toml(whole(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
}

TEST(ValueTest, DigitsReadBackToTheSameNumber) {
  for (const double number : {1.0 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -2.5e-7})
    EXPECT_EQ(std::strtod(to_toml(Value::of(number)).c_str(), nullptr), number);
}

TEST(ValueTest, NotFiniteNumbersAreWrittenAsTomlWritesThem) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(to_toml(Value::of(infinity)), "inf");
  EXPECT_EQ(to_toml(Value::of(-infinity)), "-inf");
  EXPECT_EQ(to_toml(Value::of(std::numeric_limits<double>::quiet_NaN())), "nan");
  EXPECT_EQ(to_toml(Value::of(-std::numeric_limits<float>::infinity())), "-inf");
}

TEST(ValueTest, TextIsEscaped) {
  EXPECT_EQ(to_toml(text("")), "\"\"");
  EXPECT_EQ(to_toml(text("a \"b\" \\c")), R"("a \"b\" \\c")");
  EXPECT_EQ(to_toml(text("a\nb\tc\r")), R"("a\u000Ab\u0009c\u000D")");
  EXPECT_EQ(to_toml(text("\x7f")), R"("\u007F")");
  EXPECT_EQ(to_toml(text(std::string(1, '\0'))), R"("\u0000")");
  EXPECT_EQ(to_toml(text("gr\xc3\xbcn")), "\"gr\xc3\xbcn\"");
}

TEST(ValueTest, ListsAndTablesAreOneLine) {
  EXPECT_EQ(to_toml(Value::of(true)), "true");
  EXPECT_EQ(to_toml(Value::of(false)), "false");
  EXPECT_EQ(to_toml(Value::of(std::vector<double>{})), "[]");
  EXPECT_EQ(to_toml(Value::of(std::vector<double>{1, 2.5})), "[1.0, 2.5]");
  EXPECT_EQ(to_toml(Value::of(std::vector<std::vector<double>>{{1}, {}, {2, 3}})),
            "[[1.0], [], [2.0, 3.0]]");
  Table table;
  EXPECT_EQ(to_toml(Value{.data = table}), "{}");
  table.set("name", text("lazy"));
  table.set("gamma", Value::of(0.25));
  EXPECT_EQ(to_toml(Value{.data = table}), "{ name = \"lazy\", gamma = 0.25 }");
}

TEST(TableTest, KeepsTheOrderAndReplacesInPlace) {
  Table table;
  table.set("b", whole(1));
  table.set("a", whole(2));
  table.set("b", whole(3));
  ASSERT_EQ(table.entries.size(), 2u);
  EXPECT_EQ(table.entries[0].first, "b");
  EXPECT_EQ(to_toml(table.entries[0].second), "3");
  EXPECT_EQ(table.entries[1].first, "a");
}

TEST(TableTest, FindsByTheWholeKey) {
  Table table;
  table.set("step", whole(1));
  ASSERT_NE(table.find("step"), nullptr);
  EXPECT_EQ(table.find("ste"), nullptr);
  EXPECT_EQ(table.find("steps"), nullptr);
  table.find("step")->line = 9;
  const Table& constant = table;
  EXPECT_EQ(constant.find("step")->line, 9);
}

TEST(ValueTest, KindsHaveTheWordsOfErrors) {
  EXPECT_EQ(kind_of(Value::of(true)), "true/false");
  EXPECT_EQ(kind_of(whole(1)), "whole number");
  EXPECT_EQ(kind_of(Value::of(1.0)), "number");
  EXPECT_EQ(kind_of(Value::of(1.0f)), "number");
  EXPECT_EQ(kind_of(text("1")), "text");
  EXPECT_EQ(kind_of(Value::of(std::vector<double>{})), "list");
  EXPECT_EQ(kind_of(Value{.data = Table{}}), "table");
}

TEST(ValueTest, GivesItsDataByKind) {
  const Value list = Value::of(std::vector<double>{4});
  ASSERT_NE(list.list(), nullptr);
  EXPECT_EQ(list.list()->size(), 1u);
  EXPECT_EQ(list.table(), nullptr);
  EXPECT_EQ(list.text(), nullptr);
  const Value word = text("ring");
  ASSERT_NE(word.text(), nullptr);
  EXPECT_EQ(*word.text(), "ring");
  EXPECT_EQ(word.list(), nullptr);
}

}  // namespace
}  // namespace starling
