#!/bin/sh
# All tests, the cheap ones first; stops at the first group that fails. In CI a skipped test is a failure.
set -eu
cd "$(dirname "$0")/.."
sh scripts/check.sh
PATH=$PWD/node_modules/.bin:$PATH
export PATH

report=$(mktemp)
trap 'rm -f "$report"' EXIT
group() {
  name=$1
  shift
  printf '\n== %s\n' "$name"
  node --test --test-concurrency=2 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$report" "$@"
  if [ "${CI:-}" = true ] && ! grep -q '^# skipped 0$' "$report"; then
    grep '# SKIP' "$report" >&2 || true
    echo "test.sh: CI skips no test" >&2
    exit 1
  fi
}

# shellcheck disable=SC2046 # our own file names hold no spaces
group "the code" $(find test/code -name '*.test.ts' | sort)
# shellcheck disable=SC2046
group "long searches" $(find . \( -name node_modules -o -name dist \) -prune -o -name '*.fuzz.test.ts' -print | sort)
# shellcheck disable=SC2046
group "the system" $(find test -name '*.test.ts' ! -path 'test/code/*' | sort)
