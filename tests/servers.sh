#!/bin/sh
# Sees to it that the programs the tests start are there: PostgreSQL's server, Chromium, and a RADIUS
# client.
# As root on Debian it installs what is missing; otherwise it says what to install, and fails.
set -eu

missing=""
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    missing="$missing postgresql"
fi
if ! command -v chromium >/dev/null; then
    missing="$missing chromium fonts-dejavu-core"
fi
if ! command -v radclient >/dev/null; then
    missing="$missing freeradius-utils"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$missing ..."
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of packages
    if apt-get update >"$log" 2>&1 \
        && apt-get install --yes --no-install-recommends $missing >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "Debian's packages could not be installed:$missing" >&2
    exit 1
fi

cat >&2 <<END
The tests start a PostgreSQL server, a browser and a RADIUS client of their own, and these packages
are missing:
   $missing
Install them, for example as root on Debian or Ubuntu:
    apt-get install$missing
END
exit 1
