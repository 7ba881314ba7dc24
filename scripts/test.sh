#!/bin/sh
# test.sh [PACKAGE…]: runs every test with the race detector; a failed or a skipped test fails it.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
go test -race -v -timeout 45m "${@:-./...}" >"$log" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
	grep -v -E '^=== |^ *--- PASS|^PASS$' "$log"
	exit "$status"
fi
if grep -E '^ *--- SKIP' "$log"; then
	echo "test.sh: these tests were skipped; here every test has to run" >&2
	exit 1
fi
grep -E '^(ok|\?)' "$log"
