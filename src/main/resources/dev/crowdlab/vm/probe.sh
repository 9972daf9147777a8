# Measures the machine and prints what it found as one JSON object. Reads only.
#
# Arguments: verify=all|protected, and p0=, p1=, ... the protected paths.
#
# Every text is printed as its bytes: printable ASCII as it is, each other byte as \u00XX. So no name on this machine
# can break the JSON, and the operator decodes the bytes. Parts that could not be measured are named, never left out
# in silence.
set -u
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# First of all, so that the operator can tell the clocks apart by when this arrives.
printf '{"clock":"%s"' "$(date +%s%N)"

MAX_FILES=2000
MAX_KEYS=500
VERIFY_SECONDS=120

verify=all
set --
while IFS= read -r line && [ "$line" != . ]; do
  case $line in
    verify=*) verify=${line#*=} ;;
    p[0-9]*=*) set -- "$@" "${line#*=}" ;;
  esac
done

unmeasured=
miss() { unmeasured="$unmeasured $1"; }

ESCAPE='
BEGIN {
  for (i = 1; i < 256; i++) {
    c = sprintf("%c", i)
    # A line break inside a name travels as byte 1, see lines().
    e[c] = (i < 32 || i > 126 || c == "\"" || c == "\\") ? sprintf("\\u%04x", i == 1 ? 10 : i) : c
  }
}
function esc(s,   i, o) { o = ""; for (i = 1; i <= length(s); i++) o = o e[substr(s, i, 1)]; return o }
function str(s) { return "\"" esc(s) "\"" }
'

# NUL-ended records as lines.
lines() { tr '\n\0' '\001\n'; }

release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | head -n 1 | tr -d "\"'"; }

if command -v dpkg-query >/dev/null; then db=dpkg
elif command -v rpm >/dev/null; then db=rpm
else db=; fi

manager=
for m in apt-get dnf yum zypper apk pacman; do
  if command -v "$m" >/dev/null; then manager=${m%-get}; break; fi
done

{
  printf 'os\t%s\n' "$(release ID)"
  printf 'osVersion\t%s\n' "$(release VERSION_ID)"
  printf 'osName\t%s\n' "$(release PRETTY_NAME)"
  printf 'kernel\t%s\n' "$(uname -r)"
  printf 'arch\t%s\n' "$(uname -m)"
  printf 'cpus\t%s\n' "$(getconf _NPROCESSORS_ONLN)"
  printf 'memoryKib\t%s\n' "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)"
  where=/var/lib/containers
  [ -d "$where" ] || where=/var/lib
  printf 'diskFreeKib\t%s\n' "$(df -Pk "$where" | awk 'NR == 2 { print $4 }')"
  printf 'machineIdHash\t%s\n' "$(sha256sum </etc/machine-id 2>/dev/null | cut -c1-64)"
  printf 'bootId\t%s\n' "$(cat /proc/sys/kernel/random/boot_id)"
  printf 'taint\t%s\n' "$(cat /proc/sys/kernel/tainted)"
  printf 'packageManager\t%s\n' "$manager"
  printf 'init\t%s\n' "$(cat /proc/1/comm)"
  printf 'agentVersion\t%s\n' "$(cat /opt/crowdlab/current/digest 2>/dev/null)"
} | awk -F '\t' "$ESCAPE"'{ printf ",%s:%s", str($1), str(substr($0, length($1) + 2)) }' || miss system

printf ',"tools":{'
comma=
for tool in systemctl systemd-run podman sshfs mount.fuse3 ssh nft setpriv; do
  if command -v "$tool" >/dev/null; then there=true; else there=false; fi
  printf '%s"%s":%s' "$comma" "$tool" "$there"
  comma=,
done
printf '}'

# --- accounts, keys, listeners

printf ',"uidZero":['
awk -F : "$ESCAPE"'$3 ~ /^0+$/ { printf "%s%s", n++ ? "," : "", str($1) }' /etc/passwd || miss uidZero
printf ']'

# Where sshd looks, as it says itself; %h and %u are the home and the name.
places=$( (sshd -T 2>/dev/null || true) | awk '$1 == "authorizedkeysfile" { for (i = 2; i <= NF; i++) print $i }')
[ -n "$places" ] || places='.ssh/authorized_keys
.ssh/authorized_keys2'

# One line a key: the account, a space, options and key without the comment.
keys() {
  while IFS=: read -r user _ _ _ _ home _; do
    printf '%s\n' "$places" | while IFS= read -r place; do
      file=$(printf '%s\n' "$place" | awk -v h="$home" -v u="$user" '{ gsub(/%h/, h); gsub(/%u/, u); print }')
      case $file in none) continue ;; /*) ;; *) file=$home/$file ;; esac
      [ -f "$file" ] || continue
      awk -v u="$user" '
        /^[ \t]*(#|$)/ { next }
        match($0, /(ssh-[a-z0-9-]+|ecdsa-[a-z0-9-]+|sk-[a-z0-9@.-]+)[ \t]+AAAA[A-Za-z0-9+\/=]+/) {
          print u " " substr($0, 1, RSTART + RLENGTH - 1); next }
        { print u " " $0 }' "$file"
    done
  done </etc/passwd | sort -u | head -n "$MAX_KEYS"
}
printf ',"authorizedKeys":['
keys | while IFS= read -r line; do
  printf '%s %s\n' "${line%% *}" "$(printf %s "${line#* }" | sha256sum | cut -c1-64)"
done | awk "$ESCAPE"'{ printf "%s{\"user\":%s,\"digest\":%s}", n++ ? "," : "", str($1), str($2) }' || miss authorizedKeys
printf ']'

printf ',"listeners":['
for table in tcp tcp6 udp udp6; do
  [ -r "/proc/net/$table" ] || continue
  awk -v t="$table" '
    NR > 1 && $4 == (t ~ /^tcp/ ? "0A" : "07") { print t, $2 }' "/proc/net/$table"
done | sort -u | head -n "$MAX_FILES" |
  awk "$ESCAPE"'{ printf "%s{\"table\":%s,\"local\":%s}", n++ ? "," : "", str($1), str($2) }' || miss listeners
printf ']'

# --- protected files

found() {
  for path; do
    if [ -d "$path" ] && [ ! -L "$path" ]; then
      find "$path" -xdev \( -type f -o -type l \) "$FOUND" "$FORM" 2>/dev/null
    elif [ -e "$path" ] || [ -L "$path" ]; then
      find "$path" -maxdepth 0 "$FOUND" "$FORM" 2>/dev/null
    fi
  done
}
# All paths, the same order and bound for each question below.
paths() { FOUND=-printf FORM='%p\0' found "$@" | head -z -n "$MAX_FILES"; }

count=$(FOUND=-printf FORM='x' found "$@" | head -c $((MAX_FILES + 1)) | wc -c)
[ "$count" -le "$MAX_FILES" ] || miss files

# dpkg takes patterns, and knows /usr/bin/x as /bin/x where /bin is a link: asked for both.
owners() {
  case $db in
    dpkg)
      paths "$@" | grep -zv '[][*?\\]' | sed -z 'p; s:^/usr/\(s\?bin\|lib[^/]*\)/:/\1/:' |
        xargs -0 -r dpkg-query -S 2>/dev/null | grep -v '^diversion by '
      ;;
    rpm)
      paths "$@" | while IFS= read -r path; do
        printf '%s: %s\n' "$(rpm -qf --qf '%{NAME}\n' "$path" 2>/dev/null | head -n 1)" "$path"
      done
      ;;
  esac
}
owned=$(owners "$@")
packages=$(printf '%s\n' "$owned" | sed -n 's/^\([a-z0-9A-Z.+_-]*\)\(:[a-z0-9-]*\)\?: .*/\1/p' | sort -u)
versions=$(
  case $db in
    dpkg) printf '%s\n' "$packages" | xargs -r dpkg-query -W -f '${Package} ${Version}\n' 2>/dev/null ;;
    rpm) printf '%s\n' "$packages" | xargs -r rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE}\n' 2>/dev/null ;;
  esac
)

printf ',"files":['
{
  printf '%s\n' "$versions" | sed 's/^/V /'
  printf '%s\n' "$owned" | sed 's/^/O /'
  FOUND=-printf FORM='%y %m:%U:%G %l\0%p\0' found "$@" | head -z -n $((2 * MAX_FILES)) | lines |
    awk 'NR % 2 { meta = $0; next } { print "M " meta; print "P " $0 }'
  paths "$@" | xargs -0 -r sh -c 'for f; do [ -L "$f" ] || [ ! -f "$f" ] || printf "%s\0" "$f"; done' sh |
    xargs -0 -r sha256sum -z -- 2>/dev/null | lines | sed 's/^/D /'
} | awk "$ESCAPE"'
  { rest = substr($0, 3) }
  $1 == "V" { split(rest, w, " "); version[w[1]] = w[2]; next }
  $1 == "O" {
    at = index(rest, ": "); name = substr(rest, 1, at - 1); sub(/[:,].*/, "", name)
    file = substr(rest, at + 2); owner[file] = name; owner["/usr" file] = name; next }
  $1 == "M" { meta = rest; next }
  $1 == "P" {
    split(meta, w, " "); order[++n] = rest; mode[rest] = w[2]
    if (w[1] == "l") digest[rest] = "link:" substr(meta, length(w[1] w[2]) + 3)
    next }
  $1 == "D" { digest[substr(rest, 67)] = substr(rest, 1, 64); next }
  END {
    for (i = 1; i <= n; i++) {
      f = order[i]; if (f in done) continue; done[f] = 1
      o = owner[f]
      printf "%s{\"path\":%s,\"digest\":%s,\"mode\":%s,\"owner\":%s}", k++ ? "," : "", str(f), str(digest[f]),
        str(mode[f]), o == "" ? "null" : str(o "=" version[o])
    }
  }' || miss files
printf ']'

# --- the package manager's own verification

verified() {
  case $db:$verify in
    dpkg:all) timeout "$VERIFY_SECONDS" dpkg -V 2>/dev/null ;;
    dpkg:*) printf '%s\n' "$packages" | xargs -r timeout "$VERIFY_SECONDS" dpkg -V 2>/dev/null ;;
    rpm:all) timeout "$VERIFY_SECONDS" rpm -Va --noscripts --nodeps 2>/dev/null ;;
    rpm:*) printf '%s\n' "$packages" | xargs -r timeout "$VERIFY_SECONDS" rpm -V --noscripts --nodeps 2>/dev/null ;;
  esac
  echo "exit $?"
}
printf ',"verification":['
report=$(verified)
case ${report##*exit } in 124 | 125 | 126 | 127) miss packages ;; esac
[ -n "$db" ] || miss packages
# "??5??????   /path", "??5?????? c /path", "missing     /path": attributes, a mark for configuration, the path.
printf '%s\n' "$report" | awk "$ESCAPE"'
  match($0, /^(missing|[^ ]+) +([a-z] )?\//) {
    path = substr($0, RSTART + RLENGTH - 1)
    missing = $1 == "missing"
    if (!missing && $1 !~ /5/) next
    if (++n > '"$MAX_FILES"') next
    printf "%s{\"path\":%s,\"missing\":%s,\"configuration\":%s}", (n == 1 ? "" : ","), str(path),
      (missing ? "true" : "false"), ($2 == "c" ? "true" : "false") }' || miss verification
printf ']'

printf ',"unmeasured":['
printf '%s\n' $unmeasured | awk "$ESCAPE"'NF { printf "%s%s", n++ ? "," : "", str($1) }'
printf ']}\n'
