#!/bin/sh
# install.sh PACKAGE…: installs Debian packages as root, or through sudo where it asks nothing.
set -eu
if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root="sudo -n"
else
	echo "install.sh: needed and missing: $*. Install with: apt-get install $*" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null; then
	echo "install.sh: needed and missing: $*. This is no Debian; install them in your system's way." >&2
	exit 1
fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
