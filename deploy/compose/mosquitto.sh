#!/bin/sh
# Runs the broker by the configuration named, and has it read who may connect, and
# its certificate, anew when they change: there is no systemd here that would.
set -eu
configuration=$1
folder=$(sed -n 's|^password_file \(.*\)/passwords$|\1|p' "$configuration")

# look says what the files are like now.
look() {
	cksum "$folder/acl" "$folder/passwords" "$folder/server.pem" 2>/dev/null || true
}

mosquitto -c "$configuration" &
broker=$!
trap 'kill -TERM "$broker"' TERM INT
seen=$(look)
while kill -0 "$broker" 2>/dev/null; do
	sleep 1 &
	wait "$!" || true
	now=$(look)
	[ "$now" = "$seen" ] || kill -HUP "$broker" 2>/dev/null || true
	seen=$now
done
wait "$broker"
