/// The program `starling`.

#include <cstdio>
#include <exception>
#include <new>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "starling/base/error.hpp"
#include "starling/base/version.hpp"
#include "starling/cli/commands.hpp"
#include "starling/cli/together.hpp"

namespace {

constexpr const char* description =
    "Starling trains models on a network of peers, with no server.\n"
    "\n"
    "Every node keeps its own data, takes stochastic subgradients of its own loss, and talks only\n"
    "to its neighbours. An experiment is a TOML file; a run leaves a folder behind.";

constexpr const char* example =
    "Example:\n"
    "  starling run experiments/heterogeneous-ring.toml\n"
    "  starling run experiments/heterogeneous-ring.toml --set method.step=1e-3 --set rounds=200\n"
    "  starling check experiments/heterogeneous-ring.toml\n"
    "  starling graph ring --nodes 8 --weights metropolis\n"
    "  starling list methods amsgrad";

int run(int argc, char** argv) {
  CLI::App program{description, "starling"};
  program.set_version_flag("--version", starling::version_text());
  program.require_subcommand(1);
  program.footer(example);
  const starling::Command commands[] = {
      starling::run_command(program), starling::check_command(program),
      starling::list_command(program), starling::graph_command(program)};
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    return program.exit(request);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "starling: {} (see --help)\n", error.what());
    return starling::mistake;
  }
  for (const starling::Command& command : commands)
    if (command.app->parsed()) return command.run();
  return starling::mistake;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const starling::UserError& error) {
    fmt::print(stderr, "starling: {}\n", error.what());
    return starling::mistake;
  } catch (const starling::ToldElsewhere& told) {
    return told.status;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "starling: out of memory\n");
    return starling::failed;
  } catch (const std::exception& error) {
    fmt::print(stderr, "starling: {}\n", error.what());
    return starling::failed;
  }
}
