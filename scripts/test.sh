#!/bin/sh
# test.sh [PACKAGE…]: runs every test with the race detector; a failed or a skipped test fails it.
# Prints what the failed tests said, and their names last: the end of a long log is what people see of it.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
go test -race -json -timeout 45m "${@:-./...}" >"$log" || status=$?
# Of a test, of a package whose tests ended early, and of one that does not compile.
if [ "$status" -ne 0 ]; then
	jq -rn '[inputs] | (map(select(.Action == "fail" or .Action == "build-fail") | [.Package, .Test, .ImportPath]) | unique) as $failed
		| (.[] | select(.Output) | [.Package, .Test, .ImportPath] as $of | select($failed | any(. == $of)) | .Output | rtrimstr("\n")),
		  "", "failed:", ($failed[] | map(select(.)) | join(" "))' "$log"
	exit "$status"
fi
skipped=$(jq -r 'select(.Action == "skip" and .Test) | "\(.Package) \(.Test)"' "$log")
if [ -n "$skipped" ]; then
	echo "$skipped"
	echo "test.sh: these tests were skipped; here every test has to run" >&2
	exit 1
fi
jq -r 'select(.Action == "pass" and (.Test | not)) | "ok \(.Package) \(.Elapsed)s"' "$log"
