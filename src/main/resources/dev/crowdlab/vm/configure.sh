# Brings the machine to where the agent runs; changes nothing where it is there already. Follows manifest.sh.
#
# Arguments:
#   digest=   SHA-256 of the agent's archive, which follows on standard input when archive=sent
#   archive=  sent | asked: asked only asks whether it is needed, and does all the rest when it is not
#   arch=     what uname -m must say
#   config=, ca=, unit=, uninstall=   files, in base64
#   token=    the agent's token; empty leaves the one that is there
#
# Prints lines of key=value: archive=needed (and nothing was changed), changed=, restarted=, stopped=, package=,
# token_sha256=, or fail=KIND TEXT.
#
# What is added is written to the manifest before it is added, so that uninstall finds it after a crash at any point.

PACKAGES='podman sshfs'
# What teams' networks and mounts need besides, and podman to start at all; not every release has each under this name.
WANTED='netavark nftables iproute2 openssh-client'

digest= archive=asked arch= config= ca= unit= uninstall= token=
while IFS= read -r line && [ "$line" != . ]; do
  value=${line#*=}
  case $line in
    digest=*) digest=$value ;;
    archive=*) archive=$value ;;
    arch=*) arch=$value ;;
    config=*) config=$value ;;
    ca=*) ca=$value ;;
    unit=*) unit=$value ;;
    uninstall=*) uninstall=$value ;;
    token=*) token=$value ;;
  esac
done

fail() { printf 'fail=%s %s\n' "$1" "$2"; exit 1; }

changed=0 restarted=0 stopped=0 read_by=
agent=$OPT/agent-$(printf %s "$digest" | cut -c1-12)

# --- is this a machine for us, and does it have the agent

[ "$(id -u)" = 0 ] || fail refused 'the user is not root'
[ -d /run/systemd/system ] || fail unsupported 'the machine does not run systemd'
[ "$(uname -m)" = "$arch" ] || fail unsupported "the machine is $(uname -m); the agent is built for $arch"

unpacked() {
  [ "$(cat "$agent/digest" 2>/dev/null)" = "$digest" ] &&
    (cd "$agent" && sha256sum --quiet --strict -c files.sha256) >/dev/null 2>&1
}
# Once: it reads the whole agent.
there=no
if unpacked; then there=yes; fi
if [ "$archive" = asked ] && [ "$there" = no ]; then
  echo archive=needed
  exit 0
fi

exec 9>"$LOCK"
flock -w 60 9 || fail busy 'another configuration is under way on the machine'
clear_scratch

# --- the manifest

list_absent() {
  for path; do
    if [ ! -e "$path" ] && [ ! -L "$path" ]; then
      printf '%s\n' "$path"
    elif [ -d "$path" ] && [ -z "$(ls -A "$path")" ]; then
      printf '%s/\n' "$path"
    fi
  done
}
if [ ! -e "$MANIFEST/begun" ]; then
  absent=$(list_absent "$OPT" "$ETC" $PODMAN_PATHS $ACCOUNT_FILES $PARENTS $NAMESPACES)
  mkdir -p "$MANIFEST/backup/accounts"
  chmod 700 "$MANIFEST"
  for file in $ACCOUNT_BACKUPS; do
    [ ! -e "/etc/$file" ] || cp -p "/etc/$file" "$MANIFEST/backup/accounts/"
  done
  printf '%s\n' "$absent" >"$MANIFEST/absent"
  installed >"$MANIFEST/packages.initial"
  cat "$FORWARDING" >"$MANIFEST/ip_forward"
  { ! command -v nft >/dev/null || nft list tables; } 2>/dev/null | sort >"$MANIFEST/tables"
  sync -f "$MANIFEST"
  : >"$MANIFEST/begun"
  changed=1
fi

# --- packages, from the machine's own sources

# Those that the machine's sources have and the machine has not: naming one that is there would make it the
# contributor's choice.
missing() {
  for name; do
    quietly apt-cache show "$name" && ! installed | grep -qx "$name" && printf '%s ' "$name"
  done
}

# A machine that names its container runtime gets that one; another gets what podman brings.
runtime() { sed -n 's/^ *runtime *= *"\(runc\|crun\)".*/\1/p' /etc/containers/containers.conf 2>/dev/null | head -n 1; }

install_packages() {
  command -v apt-get >/dev/null ||
    fail unsupported "the machine lacks $* and has no apt to install it; install it yourself"
  changed=1
  begin_run
  log=$(mktemp)
  for attempt in 1 2; do
    # Without a list of packages, or with an old one, the first attempt finds too little.
    if quietly apt-cache show podman && apt install --no-install-recommends -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef \
      $(missing $PACKAGES $(runtime) $WANTED) >"$log" 2>&1; then
      break
    fi
    said=$(grep -a '^E: ' "$log" | head -n 3 | tr '\n' ' ' | cut -c1-300)
    if [ "$attempt" = 2 ] || ! apt update >"$log" 2>&1; then
      rm -f "$log"
      end_run
      fail packages "apt could not install the missing packages: $said"
    fi
  done
  rm -f "$log"
  end_run
}

mend_run
lacking=
for tool in podman:podman sshfs:sshfs mount.fuse3:fuse3 nft:nftables ssh:openssh-client ip:iproute2; do
  command -v "${tool%%:*}" >/dev/null || lacking="$lacking ${tool##*:}"
done
[ -z "$lacking" ] || install_packages $lacking
for tool in podman sshfs mount.fuse3 nft ssh ip; do
  command -v "$tool" >/dev/null || fail packages "$tool is missing, and no package brought it"
done

# --- files

# Before a change: what the agent reads when it starts is noted until it has been restarted, also when this run is cut short.
about_to_change() {
  [ "$read_by" != agent ] || true >"$RESTART" || fail files '/run cannot be written'
  changed=1
}

# place MODE FILE BASE64: gives the file that content, unless it has it; false when it had. Nothing is written where it
# stands unless it changes, not even for a moment.
place() {
  want=$(mktemp "$SCRATCH") || fail files '/run cannot be written'
  printf %s "$3" | base64 -d >"$want" || fail files '/run cannot be written'
  if cmp -s "$want" "$2" && [ "$(stat -c '%a %u %g' "$2")" = "$1 0 0" ]; then
    rm -f "$want"
    return 1
  fi
  about_to_change
  # A name that the next run and uninstall know.
  { rm -f "$2.new" && install -m 600 "$want" "$2.new" && chmod "$1" "$2.new" && sync "$2.new" && mv -f "$2.new" "$2"; } ||
    fail files "$2 cannot be written"
  rm -f "$want"
}

# link TARGET PATH: false when it was so.
link() {
  [ "$(readlink "$2" 2>/dev/null)" != "$1" ] || return 1
  about_to_change
  { ln -sfn "$1" "$2.new" && mv -fT "$2.new" "$2"; } || fail files "$2 cannot be written"
}

for folder in "$OPT" "$ETC" /usr/local/bin; do
  [ -d "$folder" ] || { mkdir -p "$folder" && changed=1; }
done

if [ -s "$MANIFEST/packages" ]; then
  place 644 "$APT_CONF" "$({
    echo '// Installed for CrowdLab, and removed with it: apt autoremove must not take them before.'
    echo 'APT::NeverAutoRemove {'
    sed 's/[.+]/\\&/g; s/.*/  "^&$";/' "$MANIFEST/packages"
    echo '};'
  } | base64 -w 0)"
fi

if ! quietly getent passwd crowdlab; then
  group='--gid crowdlab'
  quietly getent group crowdlab || {
    echo crowdlab >>"$MANIFEST/groups"
    group=--user-group
  }
  echo crowdlab >>"$MANIFEST/users"
  sync -f "$MANIFEST"
  quietly useradd --system $group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin crowdlab ||
    fail files 'the system user crowdlab cannot be made'
  changed=1
fi

read_by=agent
# Another configuration may have removed it since.
if [ "$there" = no ] || [ ! -e "$agent/digest" ]; then
  rm -rf "$OPT"/.partial* "$agent"
  partial=$(mktemp -d "$OPT/.partial.XXXXXX") || fail files "$OPT cannot be written"
  discard() { rm -rf "$partial"; fail "$@"; }
  cat >"$partial/archive" || discard files 'the agent cannot be stored; is the disk full?'
  [ "$(sha256sum <"$partial/archive" | cut -c1-64)" = "$digest" ] || discard archive 'the agent did not arrive whole'
  mkdir -m 755 "$partial/agent"
  quietly tar -xzf "$partial/archive" -C "$partial/agent" --no-same-owner ||
    discard files 'the agent cannot be unpacked; is the disk full?'
  (cd "$partial/agent" && find . -type f | sort | xargs -d '\n' sha256sum) >"$partial/files.sha256"
  mv "$partial/files.sha256" "$partial/agent/"
  printf '%s\n' "$digest" >"$partial/agent/digest"
  sync -f "$partial/agent"
  about_to_change
  mv -T "$partial/agent" "$agent"
  rm -rf "$partial"
fi

link "${agent##*/}" "$OPT/current"
read_by=
link "$OPT/current/bin/crowdlab-agent" /usr/local/bin/crowdlab-agent
place 755 "$OPT/uninstall" "$uninstall"
read_by=agent
place 644 "$ETC/hub-ca.pem" "$ca"
place 644 "$ETC/agent.json" "$config"
[ -z "$token" ] || place 600 "$ETC/token" "$(printf '%s\n' "$token" | base64 -w 0)"
read_by=

# --- the service

# When the machine is shut down, containers are stopped after the agent, which sees to its teams first.
[ -d "$SCOPES" ] || { mkdir -p "$SCOPES" && changed=1; }
if place 644 "$SCOPES/50-crowdlab.conf" "$(printf '[Unit]\nBefore=%s\n' "$UNIT" | base64 -w 0)"; then
  systemctl daemon-reload
fi

# Its owner starts it again.
if [ -e "/etc/systemd/system/$UNIT" ] && stopped_by_owner; then stopped=1; fi

read_by=agent
place 644 "/etc/systemd/system/$UNIT" "$unit"
read_by=
[ ! -e "$RESTART" ] || systemctl daemon-reload
if [ "$stopped" = 0 ] && ! quietly systemctl is-enabled "$UNIT"; then
  quietly systemctl enable "$UNIT"
  changed=1
fi
if [ -s "$ETC/token" ]; then
  if [ "$stopped" = 0 ] && { [ -e "$RESTART" ] || ! quietly systemctl is-active "$UNIT"; }; then
    # One that failed is not reset before: cut short in between, it would look as if its owner had stopped it.
    quietly systemctl restart "$UNIT" || fail service 'the agent cannot be started'
    restarted=1 changed=1
  fi
  rm -f "$RESTART"
  if [ "$stopped" = 0 ] && [ ! -e "$STARTED" ] && quietly systemctl is-enabled "$UNIT"; then
    { : >"$STARTED" && sync -f "$STARTED"; } || fail files "$STARTED cannot be written"
    changed=1
  fi
  echo "token_sha256=$(tr -d '\n' <"$ETC/token" | sha256sum | cut -c1-64)"
fi
# The old agent read from its folder until it was restarted.
for old in "$OPT"/agent-*; do
  [ "$old" = "$agent" ] || rm -rf "$old"
done

[ ! -e "$MANIFEST/packages" ] || sed 's/^/package=/' "$MANIFEST/packages"
echo "restarted=$restarted"
echo "stopped=$stopped"
echo "changed=$changed"
