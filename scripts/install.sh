#!/usr/bin/env bash
# Installs what is missing of the Debian packages that Starling is built with.
#   scripts/install.sh build         what the program needs
#   scripts/install.sh build test    and what its tests need
#   scripts/install.sh mpich         MPICH, beside OpenMPI
set -euo pipefail

build=(
  g++ cmake ninja-build ccache
  libboost-graph-dev libcli11-dev libeigen3-dev libfmt-dev liblzma-dev libmetis-dev librandom123-dev libspectra-dev
  libopenmpi-dev openmpi-bin libtomlplusplus-dev libtorch-dev nlohmann-json3-dev zlib1g-dev
  dataset-fashion-mnist
)
test=(libgtest-dev)
mpich=(mpich libmpich-dev)
bench=(libbenchmark-dev python3-numpy python3-torch)
format=(clang-format)

wanted=()
for group in "$@"; do
  declare -n packages=$group
  wanted+=("${packages[@]}")
done

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "starling: apt-get is not there: on Debian 12 it would install ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "starling: run this once as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "== Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "starling: could not install ${missing[*]} (above: what apt-get says)" >&2
  exit 1
fi
