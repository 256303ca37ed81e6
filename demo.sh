#!/usr/bin/env bash
# Sets up Starling and runs it once: five nodes on a ring, each with two labels of Fashion-MNIST.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install.sh build
echo "== Configuring and building into build/release"
cmake --preset release
cmake --build --preset release --target starling_program

echo "== starling run experiments/heterogeneous-ring.toml"
build/release/bin/starling run experiments/heterogeneous-ring.toml
