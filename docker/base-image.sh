#!/usr/bin/env bash
# Makes a base image for docker/Dockerfile from files of this machine, where no image can be pulled, and prints its name:
# the pinned Node.js, the libraries it needs, name resolution, CA certificates, a user `peerd`. No shell, no package manager.
#
#   BASE_IMAGE=$(docker/base-image.sh) docker-compose -f docker/compose.yaml build
set -euo pipefail
cd "$(dirname "$0")/.."

node=$(readlink -f node_modules/.bin/node 2>/dev/null) || { echo "base-image.sh: no node_modules/.bin/node; run pnpm install first" >&2; exit 1; }
env=$(readlink -f "$(command -v env)")

# The rest of the C library, for add-ons and for what is opened by name at run time: ldd does not show it.
shopt -s nullglob
glibc=()
for directory in $(ldd "$node" | sed -n 's|.* => \(/.*\)/libc\.so.*|\1|p'); do
  for part in anl dl m nss_dns nss_files pthread resolv rt util; do glibc+=("$directory/lib$part".so.[0-9]*); done
done
libraries=$(ldd "$node" "$env" "${glibc[@]}" | grep -oE '/[^ :]+\.so[^ :]*' | sort -u)
files=("${glibc[@]}" $libraries)
certificates=(/etc/ssl/certs/ca-certificates.crt*)

name="peerd-base:$(cat "$0" "$node" "$env" "${files[@]}" "${certificates[@]}" | sha256sum | cut -c1-12)"
if ! docker image inspect "$name" >/dev/null 2>&1; then
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  chmod 755 "$root"
  install -D "$node" "$root/usr/local/bin/node"
  install -D "$env" "$root/usr/bin/env"
  for file in "${files[@]}"; do install -D "$file" "$root$file"; done
  for file in "${certificates[@]}"; do install -D -m 644 "$file" "$root$file"; done
  install -d -m 1777 "$root/tmp"
  install -d "$root/etc" "$root/run" "$root/var/lib"
  printf 'root:x:0:0:root:/root:/sbin/nologin\npeerd:x:12001:12001:peerd:/var/lib/peerd:/sbin/nologin\n' >"$root/etc/passwd"
  printf 'root:x:0:\npeerd:x:12001:\n' >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  tar -C "$root" --numeric-owner --owner=0 --group=0 -c . |
    docker import --change 'ENV PATH=/usr/local/bin:/usr/bin' --change 'CMD ["node"]' - "$name" >/dev/null
fi
echo "$name"
