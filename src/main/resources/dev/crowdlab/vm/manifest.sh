#!/bin/sh
# What the scripts for a machine share: words and helpers, and the record of what was added to the machine, in $MANIFEST:
#   absent            paths that were not there before; with a slash behind, folders that were there and empty
#   packages.initial  names of the packages before us
#   tables            the firewall's tables before us
#   ip_forward        whether the kernel passed packets on before us
#   packages, users, groups, files   what installing packages for us added; users and groups also ours
#   backup/           files as they were that installing or removing packages may take away or change
#   going             packages of ours whose removal has begun
#   run.*             taken before a run of apt, folded into the others after it: there, it was cut short
set -u
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
umask 022

OPT=/opt/crowdlab
ETC=/etc/crowdlab
STATE=/var/lib/crowdlab
RUN=/run/crowdlab
LOCK=/run/crowdlab-setup.lock
# There while the agent has not been restarted since what it reads at its start was changed. A reboot starts it too.
RESTART=/run/crowdlab-restart
# Scratch files are named by mktemp from this; who holds the lock may remove those of runs that were cut short.
SCRATCH=/run/crowdlab-setup.XXXXXX
MANIFEST=$STATE/manifest
# There from when we have enabled and started the agent's service until we disable it: in between, it is its owner who stops.
STARTED=$STATE/started
UNIT=crowdlab-agent.service
# What podman runs, each in a scope of its own.
SCOPES=/etc/systemd/system/libpod-.scope.d
WANTS=/etc/systemd/system/multi-user.target.wants
APT_CONF=/etc/apt/apt.conf.d/90crowdlab

# Where the machine keeps network namespaces by name.
NAMESPACES=/run/netns
FORWARDING=/proc/sys/net/ipv4/ip_forward

# Where podman keeps things as root.
PODMAN_PATHS='/var/lib/containers /var/lib/cni /etc/cni /etc/containers /etc/containers/networks
  /root/.config/containers /root/.local/share/containers'
# The account tools keep each file as it was before their last change.
ACCOUNT_BACKUPS='passwd- group- shadow- gshadow- subuid- subgid-'
ACCOUNT_FILES='/etc/subuid /etc/subgid /etc/.pwd.lock'
# Deepest first.
PARENTS="$SCOPES /root/.local/share /root/.local /root/.config /opt /usr/local/bin $WANTS /etc/apt/apt.conf.d"

quietly() { "$@" >/dev/null 2>&1; }
clear_scratch() { rm -rf "${SCRATCH%%X*}"??????; }
installed() { dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^.i. *//p' | sort -u; }
names() { cut -d : -f 1 "$1" | sort -u; }
surroundings() { { find /etc -xdev; find /var/lib -xdev -maxdepth 2; } 2>/dev/null | sort -u; }

# Waits for a package manager that is at work; not as a child that keeps our lock.
apt() { apt-get -y -q -o DPkg::Lock::Timeout=120 "$@" </dev/null 9>&-; }

# state NAME: a property of the agent's service.
state() { systemctl show "$UNIT" -p "$1" | cut -d= -f2-; }

# Whether the agent's service, which is installed, was stopped in order and by nobody's failure: it is on its way out (and
# not in again: an agent that hangs takes its time to restart), or out without one. One that is disabled was not started by
# the machine's boot. Without our mark it is not the owner's doing: a script of ours was cut short before it had enabled and
# started the service, or after it had disabled it.
stopped_by_owner() {
  [ -e "$STARTED" ] || return 1
  case $(state ActiveState) in
    deactivating) ! systemctl list-jobs --no-legend --no-pager 2>/dev/null | grep -q " $UNIT  *restart " ;;
    inactive) ! quietly systemctl is-enabled "$UNIT" || { [ "$(state Result)" = success ] && [ "$(state InactiveEnterTimestampMonotonic)" != 0 ]; } ;;
    *) return 1 ;;
  esac
}

begin_run() {
  installed >"$MANIFEST/run.packages"
  names /etc/passwd >"$MANIFEST/run.users"
  names /etc/group >"$MANIFEST/run.groups"
  surroundings >"$MANIFEST/run.files"
  sync -f "$MANIFEST"
}

# Takes stock of what a run of apt added.
end_run() {
  [ -e "$MANIFEST/run.files" ] || { rm -f "$MANIFEST"/run.*; return 0; }
  installed | comm -13 "$MANIFEST/run.packages" - >"$MANIFEST/run.new"
  # Ours are nobody's choice, so that a later choice of the contributor's shows.
  quietly xargs -r apt-mark auto <"$MANIFEST/run.new"
  cat "$MANIFEST/run.new" >>"$MANIFEST/packages"
  sort -u -o "$MANIFEST/packages" "$MANIFEST/packages"
  names /etc/passwd | comm -13 "$MANIFEST/run.users" - >>"$MANIFEST/users"
  names /etc/group | comm -13 "$MANIFEST/run.groups" - >>"$MANIFEST/groups"
  surroundings | comm -13 "$MANIFEST/run.files" - >>"$MANIFEST/files"
  # A purge deletes a package's configuration files, also those that the contributor had before it.
  xargs -r dpkg-query -W -f '${Conffiles}\n' <"$MANIFEST/packages" 2>/dev/null | awk '$1 ~ /^\// { print $1 }' |
    sort -u | comm -12 "$MANIFEST/run.files" - | while IFS= read -r file; do
      [ -e "$MANIFEST/backup$file" ] || cp -p --parents "$file" "$MANIFEST/backup/"
    done
  sync -f "$MANIFEST"
  rm -f "$MANIFEST"/run.*
}

# A run that was cut short may have left packages half installed, or half removed; and apt forgets that nobody chose a
# package as soon as it sets about removing it.
mend_run() {
  if [ -e "$MANIFEST/going" ]; then
    quietly dpkg --force-confold --configure -a </dev/null 9>&-
    installed | comm -12 - "$MANIFEST/going" | quietly xargs -r apt-mark auto
    rm -f "$MANIFEST/going"
  fi
  [ -e "$MANIFEST/run.packages" ] || return 0
  quietly dpkg --force-confold --force-confdef --configure -a </dev/null 9>&-
  quietly apt --fix-broken --no-install-recommends install
  end_run
}
