#!/bin/sh
# record.sh DIRECTORY: records every set again, with its seed, below DIRECTORY. The verifiers that are Debian's packages are
# installed first.
set -eu
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
xargs ../../scripts/install.sh <debian-packages
npm ci
go test .
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
go build -o "$tool/corpus" .
for recording in heldout:7 blind:11 blind2:13 blind3:19 rare:17; do
	set=${recording%:*}
	mkdir -p "$out/$set"
	"$tool/corpus" -set "$set" -seed "${recording#*:}" -out "$out/$set"
done
