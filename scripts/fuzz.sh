#!/bin/sh
# fuzz.sh TIME PACKAGE…: runs every fuzz target of these packages for TIME, one after the other. A finding fails it and is
# left in the package's testdata/fuzz, as the go command says.
set -eu
time=$1
shift
for package; do
	for target in $(grep -hEo '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | sed 's/^func //' | sort); do
		echo "fuzz $package $target $time"
		go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time"
	done
done
