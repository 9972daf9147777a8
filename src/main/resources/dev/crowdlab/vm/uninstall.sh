# Takes away everything that CrowdLab put on this machine, teams included. Follows manifest.sh. Run by the operator over
# SSH, by hand, or by the agent when it was told to leave: first with --but-agent, which leaves the agent and what it
# needs, so that it can tell what became of the rest and start again after a crash on the way; then with --detach, as its
# own service ends on the way.
#
# Prints lines of key=value: found=0|1, kept=PACKAGE, left=WHAT.

main() {
  if [ "${1:-}" = --detach ]; then
    exec systemd-run --quiet --collect --no-block --unit=crowdlab-uninstall /bin/sh "$OPT/uninstall"
  fi
  # Whoever reads what is said here may die; the work goes on.
  trap '' PIPE
  exec 9>"$LOCK"
  flock -w 60 9 || { echo 'left=another configuration is under way'; exit 1; }
  clear_scratch

  found=0
  for path in "$OPT" "$ETC" "$STATE" "/etc/systemd/system/$UNIT" "$APT_CONF"; do
    [ ! -e "$path" ] || found=1
  done
  echo "found=$found"
  if [ "$found" = 1 ]; then
    mend_run
    [ "${1:-}" = --but-agent ] || stop_agent
    stop_teams
    remove_rules
    restore_kernel
    [ "${1:-}" = --but-agent ] || remove_files
    remove_packages
    remove_accounts
    restore_files
    [ "${1:-}" = --but-agent ] || finish
  fi
  rm -f "$LOCK" "$RESTART"
}

stop_agent() {
  # It need not wait for its teams to be elsewhere.
  mkdir -p "$RUN" && : >"$RUN/uninstalling"
  # What is stopped from here on was not stopped by its owner.
  rm -f "$STARTED"
  quietly timeout 30 systemctl disable --now "$UNIT"
  # What it had begun outlives it: a podman that is still at work would make its files anew after they were removed.
  quietly timeout 10 systemctl kill -s KILL "$UNIT"
  rm -f "/etc/systemd/system/$UNIT" "/etc/systemd/system/$UNIT.new" "$WANTS/$UNIT" "$SCOPES"/50-crowdlab.conf*
  systemctl daemon-reload
  quietly systemctl reset-failed "$UNIT"
}

# Containers first, then their mounts, by force: a machine is left only after its teams were fenced elsewhere.
stop_teams() {
  if quietly command -v podman; then
    for id in $(timeout 20 podman pod ps -q --filter label=crowdlab.team 2>/dev/null); do
      quietly timeout 60 podman pod rm -f -t 2 "$id"
    done
    for id in $(timeout 20 podman ps -a -q --filter label=crowdlab.team 2>/dev/null); do
      quietly timeout 60 podman rm -f -t 2 "$id"
    done
    for name in $(timeout 20 podman network ls --format '{{.Name}}' --filter label=crowdlab.network 2>/dev/null); do
      quietly timeout 20 podman network rm -f "$name"
    done
    if [ -f "$STATE/pulled-images" ]; then
      while IFS= read -r image; do quietly timeout 60 podman rmi "$image" </dev/null; done <"$STATE/pulled-images"
    fi
  fi
  for file in "$NAMESPACES"/crowdlab-*; do
    [ -e "$file" ] || continue
    quietly timeout 20 ip link del "${file##*/}"
    quietly timeout 20 ip netns del "${file##*/}"
  done
  for unit in $(systemctl list-units --all --plain --no-legend 'crowdlab-workspace-*' 2>/dev/null | awk '{ print $1 }'); do
    quietly timeout 20 systemctl kill -s KILL "$unit"
    quietly timeout 20 systemctl stop "$unit"
  done
  # Two mounts may lie on each other.
  for i in 1 2 3; do
    awk -v run="$RUN/" 'index($5, run) == 1 { print $3, $5 }' /proc/self/mountinfo | while read -r device path; do
      [ ! -e "/sys/fs/fuse/connections/${device#*:}/abort" ] || echo 1 >"/sys/fs/fuse/connections/${device#*:}/abort"
      quietly timeout 10 umount -i "$path"
    done
  done
  if grep -q " $RUN/" /proc/self/mountinfo; then echo 'left=a workspace that is still in use'; else rm -rf "$RUN"; fi
  quietly nft delete table inet crowdlab
  # What had the machine's own firewall accept teams' packets. To ask iptables where it is not in use would make tables.
  if quietly nft list chain ip filter FORWARD || grep -qsx filter /proc/net/ip_tables_names; then
    for chain in FORWARD DOCKER-USER; do
      for way in -i -o; do
        quietly timeout 20 iptables -w 5 -D "$chain" "$way" crowdlab-+ -j ACCEPT
      done
    done
  fi
}

remove_files() {
  # The manifest is still needed.
  find "$STATE" -mindepth 1 -maxdepth 1 ! -name manifest -exec rm -rf {} +
  [ "$(readlink /usr/local/bin/crowdlab-agent)" != "$OPT/current/bin/crowdlab-agent" ] ||
    rm -f /usr/local/bin/crowdlab-agent
  rm -f /usr/local/bin/crowdlab-agent.new
  rm -rf "$OPT" "$ETC"
}

# Containers, volumes or networks that are not ours: the contributor has come to use podman.
podman_used() {
  quietly command -v podman || return 1
  [ "$(timeout 20 podman network ls -q 2>/dev/null | wc -l)" -gt 1 ] || [ -n "$(timeout 20 podman ps -a -q 2>/dev/null)" ] || [ -n "$(timeout 20 podman volume ls -q 2>/dev/null)" ]
}

# Podman leaves firewall tables behind when its last network goes. Those that were not there before us go, if they hold
# nothing but its chains.
remove_rules() {
  { quietly command -v nft && [ -e "$MANIFEST/tables" ] && ! podman_used; } || return 0
  nft list tables 2>/dev/null | sort | comm -13 "$MANIFEST/tables" - | while read -r _ family table; do
    [ "$table" = netavark ] || nft list table "$family" "$table" 2>/dev/null | awk '
      /^\tchain NETAVARK/ { theirs = 1 }
      /^\t}/ { theirs = 0; next }
      theirs || /NETAVARK/ || /^(table|#|})/ || /^\tchain / || /^\t\ttype .* policy accept;$/ || NF == 0 { next }
      { other = 1 }
      END { exit other }' || continue
    quietly nft delete table "$family" "$table"
  done
}

# Packets are passed on no more, unless that was so before us, or something else has come to need it; and the folder of
# namespaces goes, which is a mount on itself.
restore_kernel() {
  if grep -qsx 0 "$MANIFEST/ip_forward" && ! podman_used && ! forwarding_wanted; then
    [ "$(cat "$FORWARDING")" = 0 ] || { echo 0 >"$FORWARDING"; } 2>/dev/null
  fi
  if grep -qsx "$NAMESPACES" "$MANIFEST/absent" && [ -d "$NAMESPACES" ] && [ -z "$(ls -A "$NAMESPACES")" ]; then
    for i in 1 2 3; do quietly timeout 10 umount "$NAMESPACES" || break; done
    quietly rmdir "$NAMESPACES"
  fi
}

forwarding_wanted() {
  [ -d /sys/class/net/docker0 ] ||
    grep -qsE '^[[:space:]]*-?net[./]ipv4[./]ip_forward[[:space:]]*=[[:space:]]*1' \
      /etc/sysctl.conf /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf
}

# What we brought goes, unless something else has come to need it: apt knows what nothing needs.
remove_packages() {
  # It kept apt from taking them.
  rm -f "$APT_CONF" "$APT_CONF.new"
  { [ -s "$MANIFEST/packages" ] && command -v apt-get >/dev/null; } || return 0
  work=$(mktemp -d "$SCRATCH")
  # What an earlier removal left half gone counts as not installed, and apt does not touch it.
  dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^.[cH]. *//p' | sort -u |
    comm -12 "$MANIFEST/packages" - >"$work/half"
  [ ! -s "$work/half" ] || quietly dpkg --force-remove-reinstreq --purge $(cat "$work/half") </dev/null 9>&-
  installed >"$work/now"
  comm -12 "$MANIFEST/packages" "$work/now" >"$work/ours"
  if grep -qx podman "$work/ours" && podman_used; then quietly apt-mark manual podman; fi
  # Of packages that came after us, what they recommend counts as needed; what others recommend was not missed before.
  recommends=false
  [ -z "$(sort -u "$MANIFEST/packages.initial" "$work/ours" | comm -13 - "$work/now")" ] || recommends=true
  apt -s -o "APT::AutoRemove::RecommendsImportant=$recommends" -o APT::AutoRemove::SuggestsImportant=false autoremove \
    2>/dev/null | awk '$1 == "Remv" { sub(/:.*/, "", $2); print $2 }' | sort -u | comm -12 - "$work/ours" >"$work/go"
  if [ -s "$work/go" ]; then
    cp "$work/go" "$MANIFEST/going"
    sync -f "$MANIFEST"
    # A unit that is done but counts as active, or that failed, outlives its file; podman's own fails to stop.
    for unit in $(xargs dpkg -L <"$work/go" 2>/dev/null | sed -n 's#^.*/lib/systemd/system/\([^/@]*\.[a-z]*\)$#\1#p' | sort -u); do
      quietly timeout 20 systemctl stop "$unit"
      quietly systemctl reset-failed "$unit"
    done
    # Never take anything along that is not ours.
    along=$(apt -s --no-auto-remove purge $(cat "$work/go") 2>/dev/null |
      awk '$1 == "Purg" || $1 == "Remv" { sub(/:.*/, "", $2); print $2 }' | sort -u | comm -23 - "$work/go")
    if [ -n "$along" ] || ! quietly apt --no-auto-remove purge $(cat "$work/go"); then
      echo 'left=packages that apt could not remove'
    fi
  fi
  installed | comm -12 - "$work/ours" | sed 's/^/kept=/'
  rm -rf "$work"
}

packages_stay() { [ -n "$(installed | comm -12 - "$MANIFEST/packages" 2>/dev/null)" ]; }

# Accounts of ours, and those that our packages made when none of these stays.
remove_accounts() {
  for user in $(sort -u "$MANIFEST/users" 2>/dev/null); do
    if [ "$user" = crowdlab ] || ! packages_stay; then quietly userdel "$user"; fi
  done
  for group in $(sort -u "$MANIFEST/groups" 2>/dev/null); do
    if [ "$group" = crowdlab ] || ! packages_stay; then
      ! quietly getent group "$group" || quietly groupdel "$group"
    fi
  done
}

restore_files() {
  # Configuration that the contributor had before a package of ours claimed it.
  if [ -d "$MANIFEST/backup/etc" ]; then
    (cd "$MANIFEST/backup" && find etc -type f) | while IFS= read -r file; do
      [ -e "/$file" ] || (cd "$MANIFEST/backup" && cp -p --parents "$file" /)
    done
  fi
  # What an installation left behind: only what appeared during it and belongs to no package.
  sort -ru "$MANIFEST/files" 2>/dev/null | while IFS= read -r path; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    ! quietly dpkg-query -S "$path" || continue
    if [ -d "$path" ] && [ ! -L "$path" ]; then quietly rmdir "$path"; else rm -f "$path"; fi
  done
  # podman's own, when podman came and went with us, or was there and never used but by us.
  if grep -qsx podman "$MANIFEST/packages" && ! installed | grep -qx podman; then
    rm -f /var/lib/systemd/timers/stamp-podman-*
    clear_podman
  elif ! podman_used && [ -z "$(timeout 20 podman images -a -q 2>/dev/null)" ]; then
    clear_podman
  fi
  for file in $ACCOUNT_BACKUPS; do
    if [ -e "$MANIFEST/backup/accounts/$file" ]; then cp -p "$MANIFEST/backup/accounts/$file" "/etc/$file"
    elif [ -d "$MANIFEST/backup/accounts" ]; then rm -f "/etc/$file"; fi
  done
  for file in $ACCOUNT_FILES; do
    ! grep -qx "$file" "$MANIFEST/absent" || [ -s "$file" ] || rm -f "$file"
  done
}

# What was not there before, or empty.
clear_podman() {
  for path in $PODMAN_PATHS; do
    if grep -qx "$path/" "$MANIFEST/absent"; then clear_out "$path"
    elif grep -qx "$path" "$MANIFEST/absent" && [ -d "$path" ]; then clear_out "$path" && quietly rmdir "$path"; fi
  done
}

# clear_out FOLDER: all that is in it, what is mounted there first.
clear_out() {
  awk -v p="$1/" 'index($5, p) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r path; do
    quietly timeout 10 umount "$path"
  done
  find "$1" -xdev -mindepth 1 -delete 2>/dev/null
}

finish() {
  for path in "$OPT" "$ETC" $PARENTS; do
    ! grep -qsx "$path" "$MANIFEST/absent" || quietly rmdir "$path"
  done
  rm -rf "$STATE"
}

main "$@"
