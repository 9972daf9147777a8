# Restarts the agent's service and nothing else; what it started stays (KillMode=process). One that its owner stopped in
# order stays stopped. Follows manifest.sh. Prints state=active, state=stopped, or fail=KIND TEXT.
while IFS= read -r line && [ "$line" != . ]; do :; done

[ -e "/etc/systemd/system/$UNIT" ] && [ -e "$OPT/current/bin/crowdlab-agent" ] || {
  echo 'fail=absent the agent is not installed'
  exit 1
}
if stopped_by_owner; then
  echo state=stopped
  exit 0
fi
# A restart and not a stop: the agent tells the two apart. One that hangs does not end by itself in time. One that failed is
# not reset before: cut short in between, it would look as if its owner had stopped it.
before=$(state MainPID)
systemctl restart --no-block "$UNIT"
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  now=$(state MainPID)
  [ "$now" = "$before" ] || break
  sleep 0.5
done
if [ "$now" = "$before" ] && [ "$before" != 0 ]; then kill -s KILL "$before"; fi
timeout 20 systemctl start "$UNIT" || {
  echo 'fail=service the agent cannot be started'
  exit 1
}
echo state=active
