# Restarts the agent's service and nothing else; what it started stays (KillMode=process).
# Prints state=active, or fail=KIND TEXT.
set -u
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
while IFS= read -r line && [ "$line" != . ]; do :; done

UNIT=crowdlab-agent.service
[ -e "/etc/systemd/system/$UNIT" ] && [ -e /opt/crowdlab/current/bin/crowdlab-agent ] || {
  echo 'fail=absent the agent is not installed'
  exit 1
}
systemctl reset-failed "$UNIT" 2>/dev/null
# An agent that hangs does not end by itself in time.
timeout 5 systemctl stop "$UNIT" || systemctl kill --kill-whom=main -s KILL "$UNIT" 2>/dev/null ||
  systemctl kill --kill-who=main -s KILL "$UNIT"
systemctl restart "$UNIT" || {
  echo 'fail=service the agent cannot be started'
  exit 1
}
echo state=active
