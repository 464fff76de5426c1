#!/usr/bin/env bash
# A container engine for the demo, the tests and the benches of this project.
#
#   docker/engine.sh start [DIR]      find an engine, or install and start a private one in DIR; then print what `env` prints
#   docker/engine.sh env [DIR]        print the line for a shell: export DOCKER_HOST=… DOCKER_CONFIG=…
#   docker/engine.sh stop [DIR]       stop a private engine with all its processes and mounts; its images are kept
#   docker/engine.sh hold [DIR]       start, print what `env` prints, and stop when standard input ends
#   docker/engine.sh with [--optional] COMMAND...    start, run a command with the engine, and stop
#   docker/engine.sh buildx [DIR]     only install buildx, in DIR/config/cli-plugins or, without DIR, in DOCKER_CONFIG
#
# DIR defaults to .cache/engine. An engine that answers at DOCKER_HOST or at the usual sockets of Docker and podman is used
# as it is and never stopped; UNMOOR_ENGINE=private starts a private one anyway. A private engine needs root (with CI=true,
# sudo without a password is enough) and Debian packages, which apt installs if they are missing. It has its own bridge with
# three firewall rules, which `stop` removes. `hold` and `with` do not stop an engine that another process started or uses.
#
# Exit codes: 0 done; 1 something failed; 2 usage; 69 no engine is available, with the reason. Otherwise `with` returns the
# exit code of its command. If no engine is available, `with --optional` runs the command without DOCKER_HOST.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

say() { echo "engine: $*" >&2; }
fail() {
  say "$@"
  exit 1
}
impossible() {
  say "no engine is available: $*"
  say "hint: start Docker or podman yourself and set its socket: export DOCKER_HOST=unix:///path/to/docker.sock"
  exit 69
}

# Set the paths. A folder with a long path gets its socket elsewhere, since a socket's path has at most 107 characters.
places() {
  mkdir -p "$1"
  dir=$(cd "$1" && pwd -P)
  sum=$(printf %s "$dir" | cksum | cut -d ' ' -f 1)
  short=$dir
  [ "${#dir}" -le 60 ] || short=/run/unmoor-engine.$sum
  socket=$short/docker.sock exec_root=$short/exec bridge=um$sum
}

on_linux() {
  [ "$(uname -s)" != Linux ] || return 0
  say "no engine is available: images are built and tested on Linux only"
  exit 69
}

# Find root rights: the user's own or, in CI, those of sudo without a password.
as_root=()
find_root() {
  [ "$(id -u)" -eq 0 ] && return
  [ "${CI:-}" = true ] && command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
  as_root=(sudo -n)
}

# answers HOST: whether an engine answers the docker client there.
answers() {
  command -v docker >/dev/null || return 1
  DOCKER_HOST=$1 timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# Print the address of an engine that already runs, if there is one.
existing() {
  [ "${UNMOOR_ENGINE:-}" != private ] || return 1
  local candidate
  for candidate in "${DOCKER_HOST:-}" unix:///var/run/docker.sock \
    "unix://${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/podman/podman.sock" unix:///run/podman/podman.sock; do
    case $candidate in
      '') continue ;;
      unix://*) [ -S "${candidate#unix://}" ] || continue ;;
    esac
    if answers "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  [ -z "${DOCKER_HOST:-}" ] || say "no engine answers at DOCKER_HOST=$DOCKER_HOST"
  return 1
}

# install PACKAGE...: with apt, without starting the services of the packages.
install() {
  find_root || return 1
  command -v apt-get >/dev/null || return 1
  say "installing $*"
  local policy=/usr/sbin/policy-rc.d held='' code=0
  if [ ! -e "$policy" ]; then
    held=1
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
  fi
  local get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
  {
    "${get[@]}" install --no-install-recommends "$@" ||
      { "${get[@]}" update && "${get[@]}" install --no-install-recommends "$@"; }
  } >"$dir/apt.log" 2>&1 </dev/null || code=1
  [ -z "$held" ] || "${as_root[@]}" rm -f "$policy"
  [ "$code" -eq 0 ] || tail -n 5 "$dir/apt.log" >&2
  return "$code"
}

# Install buildx from Debian's next suite: from apt's present mirror, with separate package lists.
newer_buildx() {
  local mirror lists=$dir/apt
  # shellcheck disable=SC2016 # apt's own variables
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' | awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
  [ -n "$mirror" ] || return 1
  rm -rf "$lists"
  mkdir -p "$lists/lists/partial" "$lists/archives/partial"
  echo "deb $mirror trixie main" >"$lists/sources.list"
  local options=(-q -o "Dir::State::lists=$lists/lists" -o "Dir::Cache=$lists" -o "Dir::Etc::sourcelist=$lists/sources.list"
    -o Dir::Etc::sourceparts=- -o "APT::Sandbox::User=$(id -un)")
  (cd "$lists" && apt-get "${options[@]}" update && apt-get "${options[@]}" download docker-buildx &&
    dpkg-deb -x docker-buildx_*.deb unpacked) >"$dir/apt.log" 2>&1 </dev/null || return 1
  install_plugin "$lists/unpacked/usr/libexec/docker/cli-plugins/docker-buildx"
  rm -rf "$lists"
}

install_plugin() {
  mkdir -p "$config/cli-plugins"
  cp "$1" "$config/cli-plugins/docker-buildx.new"
  chmod 755 "$config/cli-plugins/docker-buildx.new"
  mv "$config/cli-plugins/docker-buildx.new" "$config/cli-plugins/docker-buildx"
}

# Install the plugin in this DOCKER_CONFIG, unless the whole machine has one.
buildx() {
  mkdir -p "$config"
  has_buildx() { DOCKER_CONFIG=$config timeout 20 docker buildx version >/dev/null 2>&1; }
  has_buildx && return
  local kept=${UNMOOR_CACHE:-$root/.cache}/docker-buildx own=${HOME:-/nonexistent}/.docker/cli-plugins/docker-buildx
  if [ -x "$own" ]; then
    install_plugin "$own"
  elif [ -x "$kept" ]; then
    install_plugin "$kept"
  elif command -v apt-cache >/dev/null && apt-cache show docker-buildx >/dev/null 2>&1; then
    install docker-buildx || true
  elif command -v apt-get >/dev/null; then
    say "downloading buildx from the next suite of the same mirror"
    if newer_buildx; then
      { mkdir -p "${kept%/*}" && cp "$config/cli-plugins/docker-buildx" "$kept.$$" && mv "$kept.$$" "$kept"; } ||
        say "cannot keep buildx in ${kept%/*}: the next start downloads it again"
    else
      tail -n 5 "$dir/apt.log" >&2 || true
    fi
  fi
  has_buildx || say "buildx is not available: commands that need it will fail"
}

# Print the packages of optional tools that are missing: a registry, another client, a static shell for small images. Only
# some tests need each.
missing_tools() {
  command -v docker-registry >/dev/null || echo docker-registry
  command -v skopeo >/dev/null || echo skopeo
  command -v busybox >/dev/null || echo busybox-static
  # Another engine with the same API: only tests use it, so it is installed only in CI.
  [ "${CI:-}" != true ] || command -v podman >/dev/null || echo podman
}

tools() {
  local missing
  mapfile -t missing < <(missing_tools)
  [ "${#missing[@]}" -eq 0 ] || install "${missing[@]}" || say "not installed, and apt cannot install: ${missing[*]}"
}

# Install what a private engine needs: dockerd, and the programs that set up its network.
programs() {
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io)
  command -v iptables >/dev/null || missing+=(iptables)
  command -v ip >/dev/null || missing+=(iproute2)
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || impossible "${missing[*]} not installed, and there is no apt"
  local tools
  mapfile -t tools < <(missing_tools)
  install "${missing[@]}" "${tools[@]}" || install "${missing[@]}" || impossible "apt could not install ${missing[*]}"
}

# The engine gets its own bridge with an unused address, so that it does not disturb another engine on the machine.
rules() { # rules -A|-C|-D
  local rule
  for rule in "nat $1 POSTROUTING -s $network ! -o $bridge -j MASQUERADE" \
    "filter ${2:-$1} FORWARD -i $bridge -j ACCEPT" "filter ${2:-$1} FORWARD -o $bridge -j ACCEPT"; do
    # shellcheck disable=SC2086 # the words of a rule
    "${as_root[@]}" iptables -w 10 -t $rule 2>/dev/null || true
  done
}

bridge_up() {
  local third
  for third in $(seq $((sum % 200)) 254); do
    network=10.213.$third.0/24
    [ -z "$(ip -4 route show "$network")" ] && break
  done
  "${as_root[@]}" ip link add "$bridge" type bridge
  "${as_root[@]}" ip address add "${network%.0/24}.1/24" dev "$bridge"
  "${as_root[@]}" ip link set "$bridge" up
  echo "$network" >"$dir/network"
  rules -A -I
}

bridge_down() {
  if [ -s "$dir/network" ]; then
    network=$(cat "$dir/network")
    rules -D
    rm -f "$dir/network"
  fi
  ! ip link show "$bridge" >/dev/null 2>&1 || "${as_root[@]}" ip link delete "$bridge"
}

# Print the ids of all processes of this engine: those that were started with its folder, and their descendants.
processes() {
  ps -wweo pid=,ppid=,args= | awk -v root="$exec_root/" '
    { parent[$1] = $2; if ($3 ~ /(^|\/)(dockerd|containerd[^\/]*)$/ && index($0, root)) ours[$1] = 1 }
    END {
      do { grown = 0; for (pid in parent) if (!(pid in ours) && (parent[pid] in ours)) { ours[pid] = 1; grown = 1 } } while (grown)
      for (pid in ours) print pid
    }'
}

start_private() {
  find_root || impossible "a private engine needs root; you are $(id -un)"
  programs
  clean # what a killed engine left
  mkdir -p "$short"
  bridge_up
  local log=$dir/dockerd.log environment=()
  # dockerd gets neither the tokens nor the other variables of the user's environment.
  for name in PATH HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR; do
    [ -z "${!name:-}" ] || environment+=("$name=${!name}")
  done
  (
    cd /
    exec 8>&- 9>&- >"$log" 2>&1 </dev/null # dockerd would keep inherited locks for as long as it runs
    exec "${as_root[@]}" setsid env -i HOME=/root "${environment[@]}" dockerd \
      --data-root "$dir/data" --exec-root "$exec_root/" --pidfile "$dir/dockerd.pid" \
      --host "unix://$socket" --group "$(id -g)" --bridge "$bridge" --iptables=false --ip6tables=false
  ) &
  disown
  local _
  for _ in $(seq 600); do
    answers "unix://$socket" && return
    sleep 0.1
    [ -n "$(processes)" ] || break
  done
  tail -n 5 "$log" >&2
  clean
  impossible "dockerd did not start; its output is in $log"
}

# Stop and remove everything of a private engine, whatever state it is in.
clean() {
  find_root || true
  local pids signal
  for signal in TERM KILL; do
    pids=$(processes)
    [ -n "$pids" ] || break
    # Stop the daemon first: it stops its containers and the processes that it started.
    if [ "$signal" = TERM ] && [ -s "$dir/dockerd.pid" ] && grep -qx "$(cat "$dir/dockerd.pid")" <<<"$pids"; then
      pids=$(cat "$dir/dockerd.pid")
    fi
    # shellcheck disable=SC2086 # several ids
    "${as_root[@]}" kill "-$signal" $pids 2>/dev/null || true
    for _ in $(seq 300); do
      [ -n "$(processes)" ] || break
      sleep 0.1
    done
  done
  local place
  while read -r place; do
    "${as_root[@]}" umount -l "$place" || true
  done < <(awk -v one="$dir/" -v two="$short/" 'index($2, one) == 1 || index($2, two) == 1 { print $2 }' /proc/mounts | tac)
  ! command -v ip >/dev/null || bridge_down
  "${as_root[@]}" rm -rf "$exec_root" "$socket" "$dir/dockerd.pid"
  [ "$short" = "$dir" ] || "${as_root[@]}" rmdir "$short" 2>/dev/null || true
}

described() { printf 'export DOCKER_HOST=%q DOCKER_CONFIG=%q\n' "$1" "$config"; }

start() {
  local host=''
  if host=$(existing); then
    say "using the engine at $host"
  elif host=unix://$socket && ! answers "$host"; then
    start_private
    say "started a private engine in $dir"
  fi
  buildx
  tools
  described "$host" >"$dir/env"
}

# Run one command at a time: several test workers may start together.
locked() {
  on_linux
  exec 9>"$dir/lock"
  flock -w 900 9 || fail "another engine.sh has been busy in $dir for 15 minutes"
  "$@"
  exec 9>&-
}

# Each user of an engine holds a shared lock. The last one to leave stops the engine, unless `start` started it.
enter() {
  start
  flock -s 8
}

leave() {
  exec 8>&-
  [ ! -e "$dir/kept" ] && flock -x -n "$dir/users" true || return 0
  stop
}

keep() {
  start
  touch "$dir/kept"
}

stop() {
  clean
  rm -f "$dir/env" "$dir/kept"
}

# Hold the engine until the caller closes standard input, or ends.
hold() {
  exec 8>"$dir/users"
  (locked enter)
  trap 'locked leave' EXIT
  cat "$dir/env"
  while read -r _; do :; done
}

with() {
  local optional='' code=0
  if [ "${1:-}" = --optional ]; then optional=1 && shift; fi
  [ $# -gt 0 ] || usage
  exec 8>"$dir/users"
  (locked enter) || code=$?
  if [ "$code" -eq 0 ]; then
    trap 'locked leave' EXIT
    # shellcheck disable=SC1091 # written by start
    . "$dir/env"
  elif [ "$code" -eq 69 ] && [ -n "$optional" ]; then
    unset DOCKER_HOST
    code=0
  else
    exit "$code"
  fi
  "$@" 8>&- || code=$?
  exit "$code"
}

usage() {
  sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 2
}

trap 'exit 130' INT
trap 'exit 143' TERM HUP
command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  with) arguments=("$@") && set -- ;;
  start | stop | hold | env | buildx) [ $# -le 1 ] || usage ;;
  *) usage ;;
esac
places "${1:-$root/.cache/engine}"
config=$dir/config
case $command in
  start)
    locked keep
    cat "$dir/env"
    ;;
  stop) locked stop ;;
  hold) hold ;;
  with) with "${arguments[@]}" ;;
  buildx)
    [ $# -eq 1 ] || config=${DOCKER_CONFIG:-$config}
    locked buildx
    ;;
  env)
    [ -s "$dir/env" ] || impossible "no engine was started in $dir; run docker/engine.sh start"
    cat "$dir/env"
    ;;
esac
