#!/usr/bin/env bash
# Makes an image of a small Debian with systemd, from Debian's packages since no image can be pulled, and prints its name.
# Exit 77, with the reason on standard error, where that is impossible.
set -euo pipefail
refuse() { echo "$1" >&2; exit 77; }

docker info >/dev/null 2>&1 || refuse "no Docker Engine answers (docker/engine.sh installs and starts Debian's, as root)"
name="peerd-test-machine:$(sha256sum "$0" | cut -c1-12)"
if ! docker image inspect "$name" >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || refuse 'only root can make the image of a machine with systemd'
  if ! command -v mmdebstrap >/dev/null; then
    command -v apt-get >/dev/null || refuse 'there is no mmdebstrap, and no apt-get to install it'
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -o DPkg::Lock::Timeout=120 update -qq && apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends mmdebstrap; } >/dev/null || refuse 'apt-get could not install mmdebstrap'
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,libpam-systemd \
    --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$work/root.tar" >&2 || refuse "mmdebstrap could not make a Debian: is its mirror in reach?"
  docker import --change 'CMD ["/sbin/init"]' "$work/root.tar" "$name" >/dev/null
fi
echo "$name"
