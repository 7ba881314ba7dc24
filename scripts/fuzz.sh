#!/bin/sh
# fuzz.sh TIME PACKAGE…: runs every fuzz target of these packages for TIME, one after the other. A finding fails it and is
# left in the package's testdata/fuzz, as the go command says. An input that leads to new code is made smaller a few times
# only: left alone, Go takes up to a minute for each, in which nothing is tried.
set -eu
time=$1
shift
log=$(mktemp)
program=$(mktemp)
trap 'rm -f "$log" "$program"' EXIT

# Go before 1.27 sometimes reports the end of the time itself as a failure, "context deadline exceeded" and nothing else
# (go.dev/issue/75804). A finding always names the input that it wrote.
only_the_end() {
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input written to' "$log"
}

# As go test does, which would link the package's tests again for each target.
fuzz() {
	cd "$1" && "$program" -test.run '^$' -test.fuzz "^$2\$" -test.fuzztime "$time" -test.fuzzminimizetime 10x -test.fuzzcachedir "$cache"
}

for package; do
	go test -c -fuzz=. -o "$program" "$package"
	cache=$(go env GOCACHE)/fuzz/$(go list "$package")
	targets=$("$program" -test.list '^Fuzz')
	for target in $targets; do
		echo "fuzz $package $target $time"
		if ! (fuzz "$package" "$target") >"$log" 2>&1 && ! only_the_end; then
			cat "$log"
			exit 1
		fi
		grep 'execs:' "$log" | tail -1
	done
done
