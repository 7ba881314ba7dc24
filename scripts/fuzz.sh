#!/bin/sh
# fuzz.sh TIME PACKAGE…: runs every fuzz target of these packages for TIME, one after the other. A finding fails it and is
# left in the package's testdata/fuzz, as the go command says. An input that leads to new code is made smaller a few times
# only: left alone, Go takes up to a minute for each, in which nothing is tried.
set -eu
time=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Go before 1.27 sometimes reports the end of the time itself as a failure, "context deadline exceeded" and nothing else
# (go.dev/issue/75804). A finding always names the input that it wrote.
only_the_end() {
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input written to' "$log"
}

for package; do
	for target in $(grep -hEo '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | sed 's/^func //' | sort); do
		echo "fuzz $package $target $time"
		if ! go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x >"$log" 2>&1 && ! only_the_end; then
			cat "$log"
			exit 1
		fi
		grep 'execs:' "$log" | tail -1
	done
done
