#!/usr/bin/env bash
# Makes sure that a Docker Engine and Compose answer on this machine: uses what is there, else installs and starts
# Debian's. Exit 1, with the reason on standard error, where that is impossible.
set -euo pipefail

answers() { docker info >/dev/null 2>&1; }
composes() { docker compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1; }
refuse() { echo "docker/engine.sh: $1" >&2; exit 1; }

if answers && composes; then exit 0; fi
[ "$(id -u)" = 0 ] || refuse 'no Docker Engine with Compose answers, and only root can install or start one'

missing=()
answers || command -v dockerd >/dev/null || missing+=(docker.io iptables)
composes || missing+=(docker-compose)
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || refuse "no Docker Engine with Compose answers, and there is no apt-get to install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null || refuse "apt-get could not install ${missing[*]}"
fi

if ! answers; then
  log=/var/log/dockerd.log
  if [ -d /run/systemd/system ]; then
    systemctl start docker
    log='the journal of docker.service'
  else
    # Of an engine that was killed; dockerd refuses to start when another program has its process id by now.
    pidfile=/var/run/docker.pid
    if [ -f "$pidfile" ] && [ "$(cat "/proc/$(cat "$pidfile")/comm" 2>/dev/null)" != dockerd ]; then rm -f "$pidfile"; fi
    setsid dockerd </dev/null >"$log" 2>&1 &
  fi
  for _ in $(seq 120); do
    if answers; then break; fi
    sleep 0.25
  done
  answers || refuse "dockerd does not answer after 30 s; see $log"
fi
composes || refuse 'neither "docker compose" nor "docker-compose" works'
