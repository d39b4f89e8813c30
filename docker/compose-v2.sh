#!/usr/bin/env bash
# Puts Compose 2 into DIRECTORY/cli-plugins, for a Debian whose own Compose is 1.29: with DOCKER_CONFIG=DIRECTORY there is
# `docker compose`. Takes Debian 13's package from the mirror of this machine and changes nothing outside of DIRECTORY.
set -euo pipefail
directory=$(realpath -m "${1:?usage: docker/compose-v2.sh DIRECTORY}")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | sed -n 's|^\(.*/debian/\) main$|\1|p' | head -1)
[ -n "$mirror" ] || { echo 'docker/compose-v2.sh: apt has no Debian mirror' >&2; exit 1; }
mkdir -p "$root"/{lists,cache/archives}/partial "$directory/cli-plugins"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$root/sources.list"
apt=(apt-get -qq -o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$root/lists" -o Dir::Cache="$root/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$root" && "${apt[@]}" download docker-compose && dpkg-deb -x docker-compose_*.deb unpacked)
install "$root/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$directory/cli-plugins/"
