#!/bin/sh
# The quick checks: format; then lint, types and unused code beside the pure tests, which run in one process. `--format`, `--lint`, `--types` run one of them.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
PATH=$PWD/node_modules/.bin:$PATH
export PATH

format() { biome format .; }
lint() { oxlint --type-aware --deny-warnings; }
types() { tsc -p .; }
unused() { knip --no-progress --no-config-hints; }
pure() {
  # Pure tests share one process: they hold no global state. What needs a process or a socket lives in test/; what takes long to
  # search (*.fuzz.test.ts) runs in `npm test`.
  find base schemas proof seal bundle plan reconciler lobster enclave-bridge egress cli sdk scripts bench examples \
    \( -name node_modules -o -name dist \) -prune -o -name '*.test.ts' ! -name '*.fuzz.test.ts' -print | sort >"$list"
  # shellcheck disable=SC2046 # our own file names hold no spaces
  node --test --test-isolation=none $(cat "$list")
}

case ${1:-all} in
--format) format ;;
--lint) lint ;;
--types) types ;;
--unused) unused ;;
all)
  list=$(mktemp)
  said=$(mktemp)
  trap 'rm -f "$list" "$said"' EXIT
  format # the cheapest one first, alone
  { lint && types && unused; } >"$said" 2>&1 &
  static=$!
  pure || { wait "$static" || cat "$said" >&2; exit 1; }
  wait "$static" || { cat "$said" >&2; exit 1; }
  cat "$said"
  ;;
*)
  echo "check.sh: unknown option $1" >&2
  exit 1
  ;;
esac
