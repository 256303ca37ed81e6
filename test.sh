#!/usr/bin/env bash
# Sets up Starling, builds it with its tests, and runs them all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install.sh build test
echo "== Configuring and building into build/release"
cmake --preset release -DSTARLING_TESTS=ON -DSTARLING_WERROR=ON
cmake --build --preset release

# Data sets that are not packaged, where somebody has put them beside this folder.
for pair in DATA:data GOLDEN:golden; do
  name=STARLING_${pair%%:*} folder=$PWD/../shared/${pair##*:}
  [ -n "${!name:-}" ] || [ ! -d "$folder" ] || export "$name=$folder"
done

echo "== Testing"
ctest --preset release
