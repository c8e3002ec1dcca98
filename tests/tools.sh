#!/bin/sh
# Installs by name what `make test-system` needs, where it is missing: on Debian, as root or with sudo.
set -eu

missing=""
for tool in curl nginx slowhttptest strace; do # each is the name of its Debian package, too
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
command -v systemd-analyze >/dev/null || missing="$missing systemd"
command -v fusermount3 >/dev/null || missing="$missing fuse3"
[ -n "$missing" ] || exit 0

as_root=""
[ "$(id -u)" -eq 0 ] || as_root=sudo
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of names
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
