#!/usr/bin/env bash
# Prints the directory of prometheus and promtool: those of the machine, else Debian's, unpacked and not installed.
# Exit 77, with the reason on standard error, where that is impossible.
set -euo pipefail
cd "$(dirname "$0")/../.."
refuse() { echo "$1" >&2; exit 77; }

if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
  dirname "$(command -v prometheus)"
  exit
fi
tools="$PWD/node_modules/.cache/prometheus"
if [ ! -x "$tools/promtool" ]; then
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || refuse "there is no prometheus, and no apt-get to fetch Debian's"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  fetch() { (cd "$work" && apt-get -qq download prometheus) >/dev/null 2>&1; }
  fetch || { [ "$(id -u)" = 0 ] && apt-get -o DPkg::Lock::Timeout=120 update -qq >/dev/null 2>&1 && fetch; } || refuse "there is no prometheus, and apt-get could not fetch Debian's"
  dpkg-deb -x "$work"/prometheus_*.deb "$work/unpacked"
  mkdir -p "$(dirname "$tools")"
  rm -rf "$tools"
  mv "$work/unpacked/usr/bin" "$tools"
fi
echo "$tools"
