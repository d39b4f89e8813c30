#!/bin/sh
# Installs, upgrades or removes peerd, peerctl and rendezvous from the archive that this script stands in.
#
#   ./install.sh [--prefix DIR]            root: for the whole host, in /usr/local; anybody else: for oneself, in ~/.local
#   ./install.sh [--prefix DIR] --remove   takes away what it installed, and nothing else
#   ./install.sh [--prefix DIR] --purge    --remove, and settings and state with the private key too; received files stay
#
# Running it again upgrades: services that run are restarted with the new version, settings and state stay.
set -eu
umask 022

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }
say() { echo "install.sh: $1"; }
fail() { echo "install.sh: $1" >&2; exit 1; }

action=install prefix=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || fail '--prefix needs a directory'; prefix=$2; shift 2 ;;
    --remove | --purge) action=${1#--}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

here=$(dirname -- "$(readlink -f -- "$0")")
if [ "$(id -u)" = 0 ]; then
  scope=system
  : "${prefix:=/usr/local}"
  units="$prefix/lib/systemd"
  manager=systemctl
  services='rendezvous.service peerd.service peerd.socket'
else
  scope=user
  [ -n "${HOME:-}" ] || fail 'HOME is not set; give --prefix DIR'
  : "${prefix:=$HOME/.local}"
  units="${XDG_DATA_HOME:-$HOME/.local/share}/systemd"
  manager='systemctl --user'
  services='peerd.service peerd.socket'
fi
case $prefix in
  *[[:space:]%\&\|\\\"\']*) fail "--prefix $prefix has a character that has a meaning in units" ;;
  /*) ;;
  *) fail "--prefix $prefix must be an absolute path" ;;
esac
base="$prefix/lib/peerd"
# Every file outside of $base that an installation made, one a line.
record="$base/installed"

# Whether a service manager answers, so that it can be asked to reload and restart.
managed() { command -v systemctl >/dev/null && $manager show-environment >/dev/null 2>&1; }

# place SOURCE TARGET: a file of ours, with the prefix of this installation in it
place() {
  mkdir -p "$(dirname -- "$2")"
  sed "s|/usr/local/bin/|$prefix/bin/|g" "$1" >"$2.new"
  mv -f "$2.new" "$2"
  echo "$2" >>"$record.new"
}
# link TARGET NAME: atomically, also over a link of before
link() {
  mkdir -p "$(dirname -- "$2")"
  ln -sfn "$1" "$2.new"
  mv -fT "$2.new" "$2"
}
# What an installation of before made and this one did not.
forget_old() {
  [ -f "$record" ] || return 0
  while read -r file; do grep -qxF -- "$file" "$record.new" || rm -f -- "$file"; done <"$record"
}

install_programs() {
  [ -f "$here/SHA256SUMS" ] || fail "$here is no unpacked archive"
  (cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) || fail 'the archive is damaged: get it again'
  if [ ! -x "$here/node/bin/node" ]; then
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || fail 'this archive needs Node.js 24 or newer in PATH, and there is none'
    [ "$major" -ge 24 ] || fail "this archive needs Node.js 24 or newer in PATH, and there is $major"
  else
    "$here/node/bin/node" -e 0 || fail 'the Node.js of this archive does not run here: it needs glibc 2.28 or newer, and the right processor'
  fi
  release="$(cat "$here/VERSION")-$(sha256sum "$here/SHA256SUMS" | cut -c1-8)"
  mkdir -p "$base"
  if [ ! -d "$base/$release" ]; then
    rm -rf "$base/.new"
    mkdir "$base/.new"
    (cd "$here" && tar -cf - .) | (cd "$base/.new" && tar --no-same-owner -xf -)
    mv -T "$base/.new" "$base/$release"
  fi
  link "$release" "$base/current"
  rm -f "$record.new"
  for program in peerd peerctl rendezvous; do
    link "$base/current/bin/$program" "$prefix/bin/$program"
    echo "$prefix/bin/$program" >>"$record.new"
  done
}

install_completions() {
  [ -d "$here/completions" ] || return 0
  share="$prefix/share"
  for file in "$here"/completions/*; do
    case $file in
      *.bash) place "$file" "$share/bash-completion/completions/peerctl" ;;
      *.zsh) place "$file" "$share/zsh/site-functions/_peerctl" ;;
      *.fish) place "$file" "$share/fish/vendor_completions.d/peerctl.fish" ;;
    esac
  done
}

install_units() {
  for file in "$here"/systemd/user/*; do place "$file" "$units/user/$(basename "$file")"; done
  [ "$scope" = system ] || return 0
  for file in "$here"/systemd/system/*; do place "$file" "$units/system/$(basename "$file")"; done
  for kind in sysusers.d tmpfiles.d; do place "$here/systemd/$kind/peerd.conf" "$prefix/lib/$kind/peerd.conf"; done
  # Settings belong to the administrator once they are there.
  mkdir -p /etc/peerd
  for file in "$here"/etc/*; do [ -e "/etc/peerd/$(basename "$file")" ] || cp "$file" /etc/peerd/; done
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers "$prefix/lib/sysusers.d/peerd.conf"
    systemd-tmpfiles --create "$prefix/lib/tmpfiles.d/peerd.conf"
  fi
}

drop_other_releases() {
  for directory in "$base"/*/; do
    directory=${directory%/}
    [ -L "$directory" ] || [ "$directory" = "$base/$release" ] || rm -rf "$directory"
  done
}

do_install() {
  before=$(readlink "$base/current" 2>/dev/null || true)
  install_programs
  install_completions
  install_units
  forget_old
  mv "$record.new" "$record"
  if managed; then
    $manager daemon-reload
    # Not the socket: it cannot be opened again while the service has it, and needs no new program.
    for service in $services; do
      case $service in *.service) [ "$before" = "$release" ] || $manager try-restart "$service" || say "$service did not come up again: $manager status $service" ;; esac
    done
  fi
  drop_other_releases
  if [ -z "$before" ]; then say "installed $release in $prefix"; elif [ "$before" = "$release" ]; then say "$release was installed already"; else say "upgraded from $before to $release in $prefix"; fi
  case :$PATH: in *":$prefix/bin:"*) ;; *) say "$prefix/bin is not in your PATH" ;; esac
  if [ "$scope" = user ]; then
    say 'next: systemctl --user enable --now peerd; to keep it running while you are logged out: loginctl enable-linger'
  else
    say 'next: each person: systemctl --user enable --now peerd'
    say '  or: systemctl enable --now peerd (for the host), systemctl enable --now rendezvous'
  fi
}

do_remove() {
  [ -f "$record" ] || fail "nothing is installed in $prefix"
  # shellcheck disable=SC2086 # several units
  if managed; then $manager disable --now $services 2>/dev/null || true; fi
  while read -r file; do rm -f -- "$file"; done <"$record"
  rm -rf "$base"
  if managed; then $manager daemon-reload; fi
  for directory in "$units/user" "$units/system" "$units" "$prefix/lib/sysusers.d" "$prefix/lib/tmpfiles.d" \
    "$prefix/share/bash-completion/completions" "$prefix/share/bash-completion" "$prefix/share/zsh/site-functions" "$prefix/share/zsh" \
    "$prefix/share/fish/vendor_completions.d" "$prefix/share/fish"; do
    rmdir -- "$directory" 2>/dev/null || true
  done
  say "removed from $prefix"
}

do_purge() {
  if [ "$scope" = system ]; then
    kept=/srv/peerd
    rm -rf /etc/peerd /var/lib/peerd /var/lib/private/rendezvous /var/lib/rendezvous /run/peerd
    if command -v userdel >/dev/null && id peerd >/dev/null 2>&1; then userdel peerd; fi
  else
    kept='your download directory'
    rm -rf "${XDG_CONFIG_HOME:-$HOME/.config}/peerd" "${XDG_STATE_HOME:-$HOME/.local/state}/peerd" "${XDG_STATE_HOME:-$HOME/.local/state}/rendezvous"
  fi
  say "settings and state are gone; received files stay in $kept"
}

case $action in
  install) do_install ;;
  remove) do_remove ;;
  purge) do_remove; do_purge ;;
esac
