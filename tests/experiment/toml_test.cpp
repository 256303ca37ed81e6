/// TOML files as plain values, and values given on the command line.
#include "starling/experiment/toml.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "test_support.hpp"

namespace starling {
namespace {

Table parsed(const std::string& text) {
  const TempFolder folder;
  return read_toml(folder.write("some.toml", text));
}

std::string error_about(const std::string& text) {
  return user_error_of([&] { parsed(text); });
}

const Value& at(const Table& table, const std::string& key) {
  const Value* value = table.find(key);
  if (value == nullptr) throw std::runtime_error("no key " + key);
  return *value;
}

const Table& table_at(const Table& table, const std::string& key) {
  const Table* inner = at(table, key).table();
  if (inner == nullptr) throw std::runtime_error("no table " + key);
  return *inner;
}

TEST(TomlTest, ReadsEveryKindOfValue) {
  const Table table = parsed(
      "flag = true\n"
      "whole = 3\n"
      "number = 3.0\n"
      "text = \"a \\\"b\\\" \\u00fc\"\n"
      "list = [1, [2.5]]\n"
      "[part]\n"
      "inner = { name = \"x\" }\n");
  EXPECT_EQ(to_toml(at(table, "flag")), "true");
  EXPECT_EQ(kind_of(at(table, "whole")), "whole number");
  EXPECT_EQ(kind_of(at(table, "number")), "number");
  EXPECT_EQ(*at(table, "text").text(), "a \"b\" \xc3\xbc");
  EXPECT_EQ(to_toml(at(table, "list")), "[1, [2.5]]");
  EXPECT_EQ(to_toml(at(table_at(table, "part"), "inner")), "{ name = \"x\" }");
}

TEST(TomlTest, RemembersLines) {
  const Table table = parsed("a = 1\n\nb = 2\n[part]\nc = 3\n");
  EXPECT_EQ(at(table, "a").line, 1);
  EXPECT_EQ(at(table, "b").line, 3);
  EXPECT_EQ(at(table_at(table, "part"), "c").line, 5);
}

TEST(TomlTest, ListsOfTablesKeepTheirOrder) {
  const Table table = parsed("[[method]]\nname = \"b\"\n[[method]]\nname = \"a\"\n");
  ASSERT_NE(at(table, "method").list(), nullptr);
  const List& list = *at(table, "method").list();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(*at(*list[0].table(), "name").text(), "b");
  EXPECT_EQ(*at(*list[1].table(), "name").text(), "a");
}

TEST(TomlTest, ErrorsNameFileAndLine) {
  EXPECT_TRUE(says(error_about("a = 1\nb = = 2\n"), "some.toml:2: no valid TOML"));
  EXPECT_TRUE(says(error_about("a = 1\n\na = 2\n"), "some.toml:3: no valid TOML"));
  EXPECT_TRUE(says(error_about("a = 1\n[part\nb = 1\n"), "some.toml:2: no valid TOML"));
  EXPECT_TRUE(says(error_about("a = 1\nb = 2020-01-01\n"), "some.toml:2: dates and times"));
  EXPECT_TRUE(says(error_about("a = 1\nb = [07:30:00]\n"), "some.toml:2: dates and times"));
}

TEST(TomlTest, AMissingFileIsTheUsersMistake) {
  const TempFolder folder;
  EXPECT_TRUE(
      says(user_error_of([&] { read_toml(folder.path() / "no.toml"); }), "no.toml: no such file"));
  EXPECT_TRUE(says(user_error_of([&] { read_toml(folder.path()); }), "is no file"));
}

TEST(ParseTomlValueTest, TakesTomlOrPlainText) {
  EXPECT_EQ(to_toml(parse_toml_value("3")), "3");
  EXPECT_EQ(to_toml(parse_toml_value("1e-3")), "0.001");
  EXPECT_EQ(to_toml(parse_toml_value("true")), "true");
  EXPECT_EQ(to_toml(parse_toml_value("\"3\"")), "\"3\"");
  EXPECT_EQ(to_toml(parse_toml_value("[1, 2]")), "[1, 2]");
  EXPECT_EQ(to_toml(parse_toml_value("{ name = \"lazy\" }")), "{ name = \"lazy\" }");
  EXPECT_EQ(to_toml(parse_toml_value("ring")), "\"ring\"");
  EXPECT_EQ(to_toml(parse_toml_value("two words")), "\"two words\"");
  EXPECT_EQ(to_toml(parse_toml_value("")), "\"\"");
}

TEST(ParseTomlValueTest, MarksEverythingAsTyped) {
  EXPECT_EQ(parse_toml_value("ring").line, command_line);
  const Value list = parse_toml_value("[[1], [2]]");
  EXPECT_EQ(list.line, command_line);
  EXPECT_EQ(list.list()->at(1).line, command_line);
  EXPECT_EQ(list.list()->at(1).list()->at(0).line, command_line);
  const Value table = parse_toml_value("{ a = { b = 1 } }");
  EXPECT_EQ(at(table_at(*table.table(), "a"), "b").line, command_line);
}

/// The table as one line after the assignments.
std::string overridden(const std::string& text, const std::vector<std::string>& assignments) {
  Table table = parsed(text);
  for (const std::string& assignment : assignments) override_value(table, assignment);
  return to_toml(Value{.data = table});
}

std::string error_of_override(const std::string& text, const std::string& assignment) {
  return user_error_of([&] { overridden(text, {assignment}); });
}

TEST(OverrideTest, ReplacesAndAddsAtTheTop) {
  EXPECT_EQ(overridden("seed = 1\n", {"seed=5"}), "{ seed = 5 }");
  EXPECT_EQ(overridden("seed = 1\n", {"title=x"}), "{ seed = 1, title = \"x\" }");
}

TEST(OverrideTest, ReachesIntoTables) {
  EXPECT_EQ(overridden("[network]\nnodes = 4\n", {"network.nodes=8"}),
            "{ network = { nodes = 8 } }");
  EXPECT_EQ(overridden("a.b.c = 1\n", {"a.b.c=2"}), "{ a = { b = { c = 2 } } }");
}

TEST(OverrideTest, MakesTheTablesThatAreMissing) {
  EXPECT_EQ(overridden("", {"record.every=5"}), "{ record = { every = 5 } }");
}

TEST(OverrideTest, ChangesEveryMethod) {
  EXPECT_EQ(overridden("[[method]]\nstep = 1\n[[method]]\nstep = 2\n", {"method.step=0.5"}),
            "{ method = [{ step = 0.5 }, { step = 0.5 }] }");
}

TEST(OverrideTest, TextNeedsNoQuotes) {
  EXPECT_EQ(overridden("[network]\ngraph = \"star\"\n", {"network.graph=ring"}),
            "{ network = { graph = \"ring\" } }");
  EXPECT_EQ(overridden("", {"title=a=b"}), "{ title = \"a=b\" }");
}

TEST(OverrideTest, AnOptionOfAPlainNameMakesATable) {
  EXPECT_EQ(overridden("[network]\ngraph = \"erdos-renyi\"\n", {"network.graph.probability=0.1"}),
            "{ network = { graph = { name = \"erdos-renyi\", probability = 0.1 } } }");
}

TEST(OverrideTest, LaterOnesWin) {
  EXPECT_EQ(overridden("", {"network.graph=ring", "network.graph=grid", "network.graph.rows=2"}),
            "{ network = { graph = { name = \"grid\", rows = 2 } } }");
}

TEST(OverrideTest, ABadAssignmentIsTheUsersMistake) {
  EXPECT_TRUE(says(error_of_override("", "seed"), "--set seed: must be KEY=VALUE"));
  EXPECT_TRUE(says(error_of_override("", "=5"), "--set =5: must be KEY=VALUE"));
  EXPECT_TRUE(says(error_of_override("", ""), "must be KEY=VALUE"));
}

TEST(OverrideTest, ANumberIsNoTable) {
  EXPECT_TRUE(says(error_of_override("nodes = 4\n", "nodes.x=1"),
                   "\"nodes\" holds a whole number, not a table"));
}

TEST(OverrideTest, NamesTheWholeKey) {
  EXPECT_TRUE(says(error_of_override("[network]\nnodes = 4\n", "network.nodes.x=1"),
                   "--set network.nodes.x: "));
}

TEST(OverrideTest, AListOfNumbersIsNoTable) {
  EXPECT_NE(error_of_override("start = [1.0, 2.0]\n", "start.x=1"), "");
}

TEST(TomlDocumentTest, HasPlainValuesThenTablesThenListsOfTables) {
  Table network, dgd, amsgrad, schedule, document;
  schedule.set("name", Value::of(std::string{"power"}));
  schedule.set("p", Value::of(0.6));
  network.set("nodes", Value::of(std::int64_t{4}));
  dgd.set("step", Value::of(0.1f));
  dgd.set("schedule", Value{.data = schedule});
  amsgrad.set("step", Value::of(2.0));
  document.set("title", Value::of(std::string{"a \"b\""}));
  document.set("network", Value{.data = network});
  document.set("method", Value{.data = List{Value{.data = dgd}, Value{.data = amsgrad}}});
  document.set("start", Value::of(std::vector<double>{1, 2}));
  EXPECT_EQ(to_toml_document(document),
            "title = \"a \\\"b\\\"\"\n"
            "start = [1.0, 2.0]\n"
            "\n[network]\n"
            "nodes = 4\n"
            "\n[[method]]\n"
            "step = 0.1\n"
            "schedule = { name = \"power\", p = 0.6 }\n"
            "\n[[method]]\n"
            "step = 2.0\n");
}

TEST(TomlDocumentTest, ReadsBackToTheSameValues) {
  const std::string text =
      "empty = []\n"
      "flag = false\n"
      "large = 1e+300\n"
      "limit = inf\n"
      "text = \"\\u000A\\\\ \\\" \xc3\xbc\"\n"
      "whole = -3\n"
      "\n[part]\n"
      "rows = [[1.0], [0.30000000000000004, 3.0]]\n"
      "\n[[part2]]\n"
      "a = { b = { c = 1 } }\n"
      "\n[[part2]]\n"
      "a = 1.0\n";
  // Keys are in the order in which the reader gives them, so the text must come back as it is.
  EXPECT_EQ(to_toml_document(parsed(text)), text);
}

}  // namespace
}  // namespace starling
