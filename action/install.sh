#!/bin/sh
# The packages of the lock file into the action's own folder: production only, no install scripts. The pinned Node is one of them. Nothing of the
# checkout is read.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
node=$root/node_modules/.bin/node
if [ -x "$node" ]; then exit 0; fi
cd "$root"
npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
# npm 9 leaves the command of an optional package unlinked when another one of that name does not fit the machine.
case $(uname -m) in x86_64) arch=x64 ;; *) arch=arm64 ;; esac
if [ ! -x "$node" ]; then
  chmod 755 "node_modules/node-linux-$arch/bin/node"
  ln -sf "../node-linux-$arch/bin/node" "$node"
fi
