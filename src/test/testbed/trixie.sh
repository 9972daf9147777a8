# Builds a second root file system with a newer OpenSSH (10), whose sshd counts penalties for each address that it is asked from; sourced
# by setup and lab. On its own, so that the others need not be built again when it changes.

trixie_suite=trixie
trixie_packages=systemd,systemd-sysv,dbus,udev,openssh-server,sudo,iproute2,procps
trixie_dir() { printf '%s/trixie-%s' "$cache" "$(digest trixie.sh)"; }

build_trixie() {
  local out partial settings
  out=$(trixie_dir)
  [ ! -e "$out" ] || { touch "$out"; return 0; }
  say "building a root file system of Debian $trixie_suite into $out (about 30 seconds)"
  partial=$(mktemp -d "$out.XXXXXX")
  settings=$(mktemp)
  apt-config dump 'Acquire::Check-Valid-Until' >"$settings"
  apt-config dump 'Acquire::Check-Date' >>"$settings"
  mmdebstrap --quiet --variant=minbase --format=directory --include="$trixie_packages" --aptopt="$settings" \
    --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf "$1"/etc/ssh/ssh_host_*' \
    --customize-hook='rm -f "$1"/etc/machine-id "$1"/var/lib/dbus/machine-id "$1"/etc/hostname' \
    "$trixie_suite" "$partial" >&2
  rm -f "$settings"
  mkdir -p "$partial/srv/apt"
  chmod 755 "$partial"
  mv "$partial" "$out"
}
