#!/usr/bin/env bash
# One archive per release: the three programs with what they need, units, settings to start from, checksums, install.sh.
#
#   pnpm package [--out DIR] [--without-node]
#
# Prints the path of the archive; its checksum stands beside it. --without-node leaves out the pinned Node.js, so that the
# target needs one of version 24 or newer in its PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=release
with_node=yes
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=${2:?--out needs a directory}; shift 2 ;;
    --without-node) with_node=no; shift ;;
    *) echo "package: $1 is no option; see the head of $0" >&2; exit 2 ;;
  esac
done
pnpm() { npx -y pnpm@12 "$@"; }
node=$(readlink -f node_modules/.bin/node) || { echo 'package: no node_modules/.bin/node; run pnpm install first' >&2; exit 1; }
version=$("$node" -p 'require("./apps/peerd/package.json").version')
name="peerd-$version-linux-$("$node" -p process.arch)"
[ "$with_node" = yes ] || name+=-without-node

pnpm build >&2
mkdir -p "$out"
work=$(mktemp -d "$(realpath "$out")/.package.XXXXXX")
trap 'rm -rf "$work"' EXIT
root="$work/$name"
mkdir -p "$root"/{bin,lib,etc,completions,systemd/{system,user,sysusers.d,tmpfiles.d}}

# program DIRECTORY: the built package and its production dependencies
program() {
  pnpm --filter "./apps/$2" deploy --prod "$root/lib/$2" >&2
  local flags
  flags=$(sed -n '1s|^#!/usr/bin/env -S node \(.*\)$|\1 |p' "apps/$2/bin/$1.js")
  sed -e "s|@script@|lib/$2/bin/$1.js|" -e "s|@flags@|$flags|" scripts/package/launcher.sh >"$root/bin/$1"
  chmod 755 "$root/bin/$1"
}
program rendezvous rendezvous
program peerd peerd
program peerctl cli
# Of no use at run time: types, sources, documentation and tests of libraries. Licences stay.
find "$root/lib" -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.tsbuildinfo' -o -name '*.flow' \
  -o -iname '*.md' ! -iname 'licen[cs]e*' \) -delete
find "$root"/lib/*/node_modules/.pnpm/*/node_modules -mindepth 1 -type d \
  \( -name test -o -name tests -o -name __tests__ -o -name benchmark -o -name benchmarks -o -name bench -o -name docs -o -name examples -o -name .github \) -prune -exec rm -rf {} +
find "$root/lib" -type d -empty -delete
find "$root/lib" -maxdepth 2 \( -name pnpm-lock.yaml -o -name pnpm-workspace.yaml \) -delete
# What pnpm left tells of the machine that built the archive.
find "$root/lib" -type f -name '.*' -delete
find "$root/lib" -type d -name .bin -prune -exec rm -rf {} +
[ "$with_node" = no ] || install -D "$node" "$root/node/bin/node"

cp apps/rendezvous/systemd/rendezvous.service apps/peerd/systemd/peerd.{service,socket} "$root/systemd/system/"
cp apps/peerd/systemd/user/peerd.{service,socket} "$root/systemd/user/"
cp apps/peerd/systemd/peerd.sysusers "$root/systemd/sysusers.d/peerd.conf"
cp apps/peerd/systemd/peerd.tmpfiles "$root/systemd/tmpfiles.d/peerd.conf"
cp apps/peerd/systemd/peerd.toml apps/rendezvous/systemd/rendezvous.toml "$root/etc/"
for shell in bash zsh fish; do
  "$node" apps/cli/bin/peerctl.js completion "$shell" >"$root/completions/peerctl.$shell" 2>/dev/null && [ -s "$root/completions/peerctl.$shell" ] || rm -f "$root/completions/peerctl.$shell"
done
rmdir --ignore-fail-on-non-empty "$root/completions"
cp README.md LICENSE docs/operations.md "$root/"
install scripts/package/install.sh "$root/install.sh"
echo "$version" >"$root/VERSION"
(cd "$root" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)

# The same sources give the same archive.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
archive="$out/$name.tar.gz"
tar -C "$work" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode='u+rwX,go+rX,go-w' -c "$name" | gzip -n >"$work/archive"
mv "$work/archive" "$archive"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$archive"
