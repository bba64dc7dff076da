#!/bin/sh
# Sees to it that the programs the tests start are there: PostgreSQL's server, Chromium, a RADIUS
# client, and the switches of tests/switches. As root on Debian it installs what is missing;
# otherwise it says what to install, and fails (without the switches alone, it goes on: their tests
# are left out).
# `servers.sh switches`: the switches alone.
set -eu

missing=""
only="${1:-}"
if [ "$only" = switches ]; then
    :
elif ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    missing="$missing postgresql"
fi
if [ "$only" != switches ] && ! command -v chromium >/dev/null; then
    missing="$missing chromium fonts-dejavu-core"
fi
if [ "$only" != switches ] && ! command -v radclient >/dev/null; then
    missing="$missing freeradius-utils"
fi

switches=""
PATH="$PATH:/usr/sbin"
if ! command -v kamailio >/dev/null || ! ls /usr/lib/*/kamailio/modules/ims_charging.so \
    /usr/lib/*/kamailio/modules/http_client.so /usr/lib/*/kamailio/modules/jansson.so \
    >/dev/null 2>&1; then
    switches="kamailio kamailio-utils-modules kamailio-extra-modules kamailio-ims-modules"
fi
command -v sipp >/dev/null || switches="$switches sip-tester"
command -v freeDiameterd >/dev/null || switches="$switches freediameter"
if [ "$only" = switches ] || { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }; then
    missing="$missing${switches:+ $switches}"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$missing ..."
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    # The tests start what they need themselves: nothing is to take calls on this machine by now.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    # shellcheck disable=SC2086 # a list of packages
    if apt-get update >"$log" 2>&1 \
        && apt-get install --yes --no-install-recommends $missing >>"$log" 2>&1; then
        rm -f "$log"
        if [ -n "$switches" ]; then
            systemctl disable kamailio >/dev/null 2>&1 || true # not at the next start either; fails where nothing starts by itself
        fi
        exit 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "Debian's packages could not be installed:$missing" >&2
    exit 1
fi

cat >&2 <<END
Servers, a browser, a RADIUS client and switches are started from packages, of which these are
missing:
   $missing
Install them, for example as root on Debian or Ubuntu:
    apt-get install$missing
END
exit 1
