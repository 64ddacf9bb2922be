#!/bin/sh
# with-node.sh [--test] FILE [ARGUMENT…]: sets up what is missing, then runs FILE under the pinned Node, whatever `node` the machine has.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
sh "$root/scripts/setup.sh"
file=$1
shift
case $file in /* | -*) ;; *) file=$root/$file ;; esac
exec "$root/node_modules/.bin/node" "$file" "$@"
