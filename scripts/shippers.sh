#!/bin/sh
# shippers.sh fetches the log shippers that tools/shippers runs: npm's packages as they are locked, and Debian's of which nothing is
# installed. They are unpacked into tools/shippers/debian, because syslog-ng and rsyslog exclude each other and none of them
# should take over the machine's log.
set -eu
cd "$(dirname "$0")/../tools/shippers"

fail() {
	echo "shippers.sh: $*" >&2
	exit 1
}

command -v npm >/dev/null || ../../scripts/install.sh nodejs npm
npm ci --ignore-scripts --no-audit --no-fund --silent

# missing prints the packages that these would bring with them.
missing() {
	apt-get install -s --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p'
}

update() {
	if [ "$(id -u)" -eq 0 ]; then
		apt-get update -qq
	else
		sudo -n apt-get update -qq
	fi
}

# unpack SET PACKAGE… fetches packages with what they need into a folder of their own, once.
unpack() {
	folder=debian/$1
	shift
	[ ! -e "$folder/complete" ] || return 0
	rm -rf "$folder"
	mkdir -p "$folder/packages" "$folder/root"
	# The packages by name, because one that is installed is not missing.
	(cd "$folder/packages" && apt-get download -qq $(printf '%s\n' "$@" $(missing "$@") | sort -u)) || return 1
	for package in "$folder"/packages/*.deb; do
		dpkg -x "$package" "$folder/root" || return 1
	done
	rm -r "$folder/packages" && touch "$folder/complete"
}

# all fetches every set that is not there yet.
all() {
	unpack syslog-ng syslog-ng-core syslog-ng-mod-http &&
		unpack rsyslog rsyslog rsyslog-elasticsearch &&
		unpack journal systemd-journal-remote
}

command -v apt-get >/dev/null || fail "syslog-ng, rsyslog and systemd-journal-upload come from Debian's packages, and there is no apt-get"
all 2>/dev/null || { update && all; } || fail "Debian's packages could not be fetched (see above)"
