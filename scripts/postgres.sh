#!/bin/sh
# postgres.sh run COMMAND… runs COMMAND with a PostgreSQL of its own on 127.0.0.1, whose address is in
# AUTHWATCH_TEST_POSTGRES, and exits as COMMAND does. The server and its data are gone afterwards. It is for tests: a
# crash of the machine may lose its data (fsync is off).
set -eu

fail() {
	echo "postgres.sh: $*" >&2
	exit 1
}

# server_bin prints the folder of the newest PostgreSQL server that Debian installed.
server_bin() {
	for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5,5nr); do
		if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ]; then
			echo "$dir"
			return
		fi
	done
}

install_server() {
	command -v apt-get >/dev/null || fail "no PostgreSQL server found and no apt-get to install one: install PostgreSQL 15 or newer"
	if [ "$(id -u)" = 0 ]; then
		as_root=
	elif sudo -n true 2>/dev/null; then
		as_root='sudo -n'
	else
		fail "no PostgreSQL server found: run 'apt-get install postgresql' as root, then try again"
	fi
	echo "postgres.sh: installing Debian's PostgreSQL server" >&2
	# Debian would start a cluster of its own; this one is all that is wanted.
	$as_root mkdir -p /etc/postgresql-common
	[ -e /etc/postgresql-common/createcluster.conf ] ||
		echo 'create_main_cluster = false' | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
	{
		$as_root apt-get update -q
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
	} >&2 || fail "apt-get could not install postgresql (see above)"
}

# as_owner runs a command as the owner of the cluster: initdb and postgres refuse to run as root.
as_owner() {
	if [ "$(id -u)" = 0 ]; then
		(cd "$folder" && exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@")
	else
		"$@"
	fi
}

stop() {
	if [ -e "$folder/data/postmaster.pid" ]; then
		as_owner "$bin/pg_ctl" stop -D "$folder/data" -m immediate -w >/dev/null 2>&1 || true
	fi
	rm -rf "$folder"
}

# start tries a few ports, because another program may take a free one between the look and the start.
start() {
	try=0
	while [ "$try" -lt 20 ]; do
		try=$((try + 1))
		port=$((20000 + ($$ * 7 + try * 379) % 12000))
		if as_owner "$bin/pg_ctl" start -D "$folder/data" -w -t 60 -l "$folder/log" \
			-o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c fsync=off -c full_page_writes=off -c timezone=UTC" \
			>/dev/null 2>&1; then
			return
		fi
		grep -q 'Address already in use' "$folder/log" || break
		: >"$folder/log"
	done
	cat "$folder/log" >&2
	fail "PostgreSQL did not start (see above)"
}

[ "${1:-}" = run ] && [ $# -ge 2 ] || {
	echo "usage: scripts/postgres.sh run COMMAND…" >&2
	exit 2
}
shift

bin=$(server_bin)
if [ -z "$bin" ]; then
	install_server
	bin=$(server_bin)
	[ -n "$bin" ] || fail "apt-get installed postgresql, but there is no /usr/lib/postgresql/*/bin/initdb"
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/authwatch-postgres.XXXXXX")
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# A password, because every user of this machine can reach the port.
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$password" >"$folder/password")
[ "$(id -u)" != 0 ] || chown postgres: "$folder" "$folder/password"
as_owner "$bin/initdb" -D "$folder/data" -U authwatch -A scram-sha-256 --pwfile="$folder/password" -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 ||
	{ cat "$folder/initdb.log" >&2; fail "initdb did not succeed (see above)"; }
start

AUTHWATCH_TEST_POSTGRES="postgres://authwatch:$password@127.0.0.1:$port/postgres?sslmode=disable"
export AUTHWATCH_TEST_POSTGRES
status=0
"$@" || status=$?
exit "$status"
