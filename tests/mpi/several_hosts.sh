#!/usr/bin/env bash
# Runs an experiment on three hosts far apart, and holds its results to those of a single process.
#   several_hosts.sh PROGRAM EXPERIMENT [ARGUMENTS of `starling run`...]
#
# The hosts are namespaces of this machine: each has a network card and a host name of its own, and
# is 20 ms (one way) from the others, on lines that lose 1 % of what they carry. MPI starts a daemon
# on each and takes the ranks of one daemon for those of one host, so that ranks share memory within
# a host and send messages over TCP between hosts.
#
# Exit status: 0 if metrics (but for seconds) and final states have the same bits, 77 where this
# machine cannot do it, otherwise 1. DELAY_MS and LOSS_PERCENT in the environment change the lines.
set -euo pipefail

hosts=(host1 host2 host3)
ranks_a_host=2
all=("${hosts[@]}" launcher)  # mpirun has a host of its own: no rank is beside it
delay=${DELAY_MS:-20}
loss=${LOSS_PERCENT:-1}

skip() {
  echo "skipped: $1"
  exit 77
}

# Everything happens inside namespaces that end with their first process, so no process, network or
# mount outlives this script, whatever ends it. Without root, a user namespace lends root's powers.
start_inside() {
  local tool apart why inside='' status=0
  [ $# -ge 2 ] || { echo "usage: $0 PROGRAM EXPERIMENT [ARGUMENTS...]" >&2; exit 2; }
  for tool in unshare nsenter ip mpirun; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
  done
  mpirun --version 2>&1 | grep -q 'Open MPI) 4\.' || skip "mpirun is not that of Open MPI 4"
  apart=(unshare --net --mount --pid --fork --kill-child --mount-proc)
  [ "$(id -u)" -eq 0 ] || apart+=(--map-root-user)
  why=$("${apart[@]}" true 2>&1) || skip "no namespaces: $why"

  work=$(mktemp -d /tmp/starling-hosts.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  STARLING_INSIDE=$work "${apart[@]}" bash "$0" "$@" &
  inside=$!
  trap 'kill -KILL "$inside"; wait "$inside" 2>/dev/null || exit 1' INT TERM HUP
  wait "$inside" || status=$?
  exit "$status"
}

# Runs a command on a host.
on() {
  local host=$1
  shift
  nsenter --net="$work/$host.net" --uts="$work/$host.uts" "$@"
}

# A host with a card eth0, whose other end is here: wire1, wire2, ...
make_host() {
  local host=$1 number=$2
  touch "$work/$host.net" "$work/$host.uts"
  unshare --net="$work/$host.net" --uts="$work/$host.uts" hostname "$host"
  ip link add "wire$number" type veth peer name eth0 netns "$work/$host.net"
  ip link set "wire$number" addrgenmode none up
  on "$host" ip link set lo up
  # Packets as small as on a real line, so that each is lost by itself.
  on "$host" ip link set eth0 gso_max_segs 1 addrgenmode none up
  on "$host" ip address add "10.0.0.$number/24" dev eth0
  echo "10.0.0.$number $host" >>"$work/hosts"
}

make_hosts() {
  local number
  why=$(ip link add wire0 type veth peer name wire00 2>&1) || skip "no virtual cards: $why"
  cp /etc/hosts "$work/hosts"
  for number in $(seq "${#all[@]}"); do make_host "${all[number - 1]}" "$number"; done
  mount --bind "$work/hosts" /etc/hosts  # both mounts are seen in here only
  mount -t tmpfs tmpfs /dev/shm
}

# The kernel's own way: a bridge, and a queue at each card that delays and loses.
join_by_bridge() {
  local number
  ip link add name bridge0 up type bridge
  for number in $(seq "${#all[@]}"); do
    ip link set "wire$number" master bridge0
    on "${all[number - 1]}" tc qdisc add dev eth0 root netem \
      delay "${delay}ms" loss "$loss%" limit 100000
  done
}

# The same by a program, for kernels without netem.
join_by_program() {
  cat >"$work/join.py" <<'PYTHON'
import collections, random, select, socket, sys, time

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, ETH_P_ALL = 263, 15, 23, 3
delay, loss = float(sys.argv[1]) / 1e3, float(sys.argv[2]) / 100
wires = []
for name in sys.argv[3:]:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    # Ten bytes before each frame say which checksums the sender has left to its card.
    wire.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    wire.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    wire.bind((name, ETH_P_ALL))
    wires.append(wire)
open(sys.argv[0] + ".ready", "w").close()

wire_to = {}  # of a hardware address
under_way = collections.deque()
while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    for wire in select.select(wires, [], [], wait)[0]:
        frame = wire.recv(70000)
        wire_to[frame[16:22]] = wire
        if random.random() < loss:
            continue
        known = wire_to.get(frame[10:16])
        arrival = time.monotonic() + delay
        for to in [known] if known else wires:
            if to is not wire:
                under_way.append((arrival, to, frame))
    while under_way and under_way[0][0] <= time.monotonic():
        _, to, frame = under_way.popleft()
        to.send(frame)
PYTHON
  # shellcheck disable=SC2046  # one word a wire
  python3 "$work/join.py" "$delay" "$loss" $(seq -f 'wire%.0f' "${#all[@]}") &
  for _ in $(seq 100); do
    [ ! -e "$work/join.py.ready" ] || return 0
    sleep 0.1
  done
  echo "FAILED: the program that joins the hosts does not start"
  exit 1
}

join_hosts() {
  echo "three hosts, $delay ms apart, on lines that lose $loss %"
  if tc qdisc add dev wire0 root netem delay 1ms 2>/dev/null; then
    join_by_bridge
  elif command -v python3 >/dev/null; then
    echo "(this machine has no tc or no netem: a program delays and loses)"
    join_by_program
  else
    skip "neither tc with netem, nor python3, to delay and lose what is sent"
  fi
}

# In place of ssh, mpirun calls a script with a host and a command for a shell to read.
prepare_mpi() {
  cat >"$work/agent" <<AGENT
#!/bin/sh
host=\$1
shift
exec nsenter --net="$work/\$host.net" --uts="$work/\$host.uts" sh -c "\$*"
AGENT
  chmod +x "$work/agent"
  mkdir "$work/mpi"
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent="$work/agent"
  export OMPI_MCA_orte_tmpdir_base="$work/mpi"
  export OMPI_MCA_oob_tcp_if_include=eth0 OMPI_MCA_oob_tcp_disable_ipv6_family=1
  export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp OMPI_MCA_btl_tcp_if_include=eth0
  # There are fewer cores than ranks.
  export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
  export OMPI_MCA_mpi_yield_when_idle=1
  export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 GOMP_SPINCOUNT=1000
}

# Runs a command on all ranks, for so many seconds at most.
on_all_ranks() {
  local seconds=$1 slots
  shift
  slots=$(printf ",%s:$ranks_a_host" "${hosts[@]}")
  on launcher timeout --kill-after=10 "$seconds" mpirun --host "${slots:1}" \
    -n $((${#hosts[@]} * ranks_a_host)) --map-by slot "$@" </dev/null
}

check_hosts() {
  local expected found
  expected=$(for host in "${hosts[@]}"; do
    for _ in $(seq "$ranks_a_host"); do echo "$host"; done
  done)
  found=$(on_all_ranks 120 hostname) || { echo "FAILED: mpirun cannot start ranks"; exit 1; }
  [ "$(sort <<<"$found")" = "$expected" ] ||
    { echo "FAILED: the ranks are on ${found//$'\n'/ }"; exit 1; }
}

# Bytes that the hosts have sent so far.
bytes_sent() {
  awk '$1 ~ /^wire[1-9]:$/ { sum += $2 } END { print sum + 0 }' /proc/net/dev
}

run_on_hosts() {
  local before begin=$SECONDS
  before=$(bytes_sent)
  on_all_ranks 900 "$program" run "$@" --quiet --threads 1 --out "$work/hosts-run" ||
    { echo "FAILED: the run on three hosts, after $((SECONDS - begin)) s"; exit 1; }
  echo "$((SECONDS - begin)) s, $((($(bytes_sent) - before) / 1000)) kB sent between hosts"
}

compare() {
  local run
  for run in one hosts-run; do
    cut -d, -f1-4,6- "$work/$run/metrics.csv" >"$work/$run.csv"  # the fifth column is seconds
  done
  [ -n "$(ls "$work/one/checkpoints")" ] || { echo "FAILED: there is no final state"; exit 1; }
  if ! diff "$work/one.csv" "$work/hosts-run.csv" ||
      ! diff -rq "$work/one/checkpoints" "$work/hosts-run/checkpoints"; then
    echo "FAILED: one process (<) and three hosts (>) differ"
    exit 1
  fi
  echo "the same bits"
}

[ -n "${STARLING_INSIDE:-}" ] || start_inside "$@"
work=$STARLING_INSIDE
unset STARLING_INSIDE
program=$(realpath "$1")
shift

make_hosts
join_hosts
prepare_mpi
check_hosts
timeout 900 "$program" run "$@" --quiet --set engine.name=simulate --out "$work/one"
run_on_hosts "$@"
compare
