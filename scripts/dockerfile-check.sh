#!/bin/sh
# Builds the Dockerfile for real where no registry is at hand, and runs the image; then proves that set-up works with Debian's own Node 18 and
# npm 9. Base images are made with debootstrap and the pinned Node, and kept in MOORING_IMAGE_CACHE (/var/cache/mooring-images). Needs root.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
say() { printf 'dockerfile-check: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] || die "needs root on Debian (debootstrap, buildah)"
sh scripts/setup.sh
cache=${MOORING_IMAGE_CACHE:-/var/cache/mooring-images}
work=$(mktemp -d)
log=$work/log
mkdir -p "$cache"

# ---- tools
need=
for tool in buildah debootstrap; do command -v "$tool" >/dev/null 2>&1 || [ -x "/usr/sbin/$tool" ] || need="$need $tool"; done
if [ -n "$need" ]; then
  say "installing$need"
  # shellcheck disable=SC2086 # a list of names
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $need; } >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; die "apt-get failed"; }
fi

store() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }
unmount() { for at in "$work"/debian/dev "$work"/debian/proc; do ! mountpoint -q "$at" || umount -l "$at"; done; }
finish() {
  unmount
  store rm --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
quiet() { "$@" >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; die "failed: $1 $2"; }; }

# ---- what this machine's package clients are set to, handed on to the build for one step, never into an image
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sed -nE 's,^(URIs:|deb( \[[^]]*\])?) *(https?://[^ ]*/debian/?)( .*)?$,\3,p' | head -n 1)
ca=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
{
  sed -e '/^nodedir/d' -e '/^cafile/d' -e '/^prefix/d' "${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}" 2>/dev/null || true
  printf 'registry=%s\n' "$(npm config get registry)"
  [ ! -f "$ca" ] || printf 'cafile=%s\n' /run/secrets/ca
} >"$work/npmrc"
chmod 600 "$work/npmrc"
if [ -f "$ca" ]; then cp "$ca" "$work/ca"; else : >"$work/ca"; fi

# ---- Debian, once; then Debian with its own Node and npm, once
bookworm=$cache/bookworm-1.tar
if [ ! -f "$bookworm" ]; then
  say "debootstrap (once, kept in $cache)"
  # shellcheck disable=SC2086 # the mirror may be absent: debootstrap's own
  quiet debootstrap --variant=minbase --include=ca-certificates bookworm "$work/bookworm" $mirror
  rm -rf "$work"/bookworm/var/cache/apt/archives/*.deb
  tar -C "$work/bookworm" --one-file-system -cf "$bookworm.part" .
  mv "$bookworm.part" "$bookworm"
  rm -rf "$work/bookworm"
fi
enter() { chroot "$work/debian" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NODE_EXTRA_CA_CERTS=/run/secrets/ca "$@"; }
debian() { # unpack $1 and let programs run in it
  mkdir "$work/debian"
  tar -C "$work/debian" -xf "$1"
  cp /etc/resolv.conf "$work/debian/etc/resolv.conf"
  mkdir -p "$work/debian/run/secrets"
  cp "$work/ca" "$work/debian/run/secrets/ca"
  cp "$work/npmrc" "$work/debian/root/.npmrc"
  mount --bind /dev "$work/debian/dev"
  mount -t proc proc "$work/debian/proc"
}
drop_debian() {
  unmount
  rm -rf "$work/debian"
}
old=$cache/bookworm-node18-1.tar
if [ ! -f "$old" ]; then
  say "Debian's own Node and npm (once, kept in $cache)"
  debian "$bookworm"
  quiet enter apt-get update
  quiet enter apt-get install --yes --no-install-recommends nodejs npm git
  unmount
  rm -rf "$work"/debian/var/cache/apt/archives/*.deb "$work/debian/root/.npmrc" "$work/debian/run/secrets"
  tar -C "$work/debian" --one-file-system -cf "$old.part" .
  mv "$old.part" "$old"
  drop_debian
fi

# ---- an image named like the Dockerfile's base: Debian, the pinned Node with its headers, npm
say "base image"
base=$work/base
mkdir -p "$base/usr/local/lib/node_modules"
case $(uname -m) in x86_64) arch=x64 ;; aarch64 | arm64) arch=arm64 ;; *) die "no pinned Node for $(uname -m)" ;; esac
cp -R "node_modules/node-linux-$arch/bin" "node_modules/node-linux-$arch/include" "$base/usr/local/"
npm_home=$(npm root -g)/npm
if [ -d "$npm_home/node_modules/@npmcli" ]; then
  cp -R "$npm_home" "$base/usr/local/lib/node_modules/npm"
else # Debian's npm is spread over the system
  quiet npm install --prefix "$work/npm" --no-save npm@11
  cp -R "$work/npm/node_modules/npm" "$base/usr/local/lib/node_modules/npm"
fi
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
container=$(store from scratch)
quiet store add "$container" "$bookworm" /
quiet store add "$container" "$base" /
quiet store config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
quiet store commit --rm "$container" docker.io/library/node:24-bookworm-slim

# ---- the image
say "buildah build"
quiet store build --pull-never --isolation chroot --format docker \
  --secret "id=npmrc,src=$work/npmrc" --secret "id=ca,src=$work/ca" --tag mooring:check .
container=$(store from --pull-never mooring:check)
inside() { store run --isolation chroot "$@"; }
version=$(inside "$container" -- mooring --version)
say "mooring --version: $version"
[ "$version" = "$(node_modules/.bin/node -p 'require("./package.json").version')" ] || die "the image says another version"
inside -v "$root/examples/fleet-repo:/fleet:ro" "$container" -- mooring validate /fleet >&2
cp -R examples/fleet-repo "$work/typo"
chmod -R a+rX "$work" "$work/typo"
sed -i 's/^  version:/  verison:/' "$work"/typo/plugins/*.yaml
if inside -v "$work/typo:/fleet:ro" "$container" -- mooring validate /fleet >"$log" 2>&1; then die "validate let a misspelled field pass"; fi
grep -q 'plugins/[a-z-]*\.yaml:[0-9]*:[0-9]*' "$log" || { cat "$log" >&2; die "validate names no place"; }
[ "$(inside "$container" -- id -u)" = 5001 ] || die "the image does not run as uid 5001"
inside "$container" -- mooring-vault init --dir /tmp/vault --fleet acme --insecure-plain-keys >"$log" || { cat "$log" >&2; die "the vault does not start in the image"; }
inside "$container" -- node -e 'require("/opt/mooring/node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node")' || die "the addon does not load"
tree=$(store mount "$container")
[ ! -e "$tree/root/.npmrc" ] || [ ! -s "$tree/root/.npmrc" ] || die "a registry setting is in the image"
[ -z "$(find "$tree/opt/mooring" -name '*.test.ts' -not -path '*/node_modules/*')" ] || die "tests are in the image"
say "image: $(du -sm "$tree/opt/mooring" | cut -f1) MB of ours"
store umount "$container" >/dev/null

# ---- set-up with the Node and npm that Debian 12 has
say "set-up with Debian's own Node"
debian "$old"
mkdir "$work/debian/mooring"
git ls-files -z --cached --others --exclude-standard --deduplicate | { tar --null --ignore-failed-read -T - -cf - 2>/dev/null || true; } | tar -C "$work/debian/mooring" -xf -
say "node $(enter node --version), npm $(enter npm --version)"
enter sh /mooring/scripts/setup.sh >&2 </dev/null || die "set-up failed with Debian's Node"
[ "$(enter /mooring/bin/mooring --version)" = "$version" ] || die "mooring does not run after set-up"
enter sh -c 'cd /mooring && npm run -s validate -- examples/fleet-repo' >&2 || die "validate failed after set-up"
drop_debian
say "ok"
