#!/bin/sh
# Makes what docker-compose.yml names as secrets, where it is not there yet: random, readable inside the containers, and outside
# of them by whoever may enter the folder.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
for name in cluster_secret admin_password; do
    [ -e "secrets/$name" ] && continue
    (umask 0377 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$name.new")
    # A container reads it as another user.
    chmod 0444 "secrets/$name.new"
    mv "secrets/$name.new" "secrets/$name"
    echo "made secrets/$name"
done
