#!/usr/bin/env bash
# Sets up Starling, builds it with its tests, and runs them all.
# With CI=true in the environment warnings are errors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install.sh build test
werror=OFF
[ "${CI:-}" = true ] && werror=ON
echo "== Configuring and building into build/release"
cmake --preset release -DSTARLING_TESTS=ON -DSTARLING_WERROR=$werror
cmake --build --preset release

echo "== Testing"
ctest --preset release
