#!/usr/bin/env bash
# Builds the programs and lays out under docker/build/ what the images hold: built code and production dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."
pnpm() { npx -y pnpm@12 "$@"; }
build="$PWD/docker/build"

pnpm build >&2
rm -rf "$build"

# stage IMAGE PROGRAM PACKAGE: PACKAGE under /opt/PROGRAM and PROGRAM in PATH
stage() {
  pnpm --filter "$3" deploy --prod "$build/$1/opt/$2" >&2
  mkdir -p "$build/$1/usr/local/bin"
  ln -s "../../../opt/$2/bin/$2.js" "$build/$1/usr/local/bin/$2"
}
stage rendezvous rendezvous @peerd/rendezvous
stage peerd peerd @peerd/peerd
stage peerd peerctl @peerd/cli
# Directories that the images give to their user. COPY keeps the mode of what it copies, not of the directory it copies from.
mkdir -p "$build"/owned/{rendezvous,peerd}
mkdir -m 700 "$build/owned/rendezvous/rendezvous" "$build/owned/peerd/peerd"
