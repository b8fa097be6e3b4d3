#!/bin/sh
# Creates the passwords that compose.yaml mounts, unless they exist: in the folder secrets beside it.
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
    echo "secrets.sh: $PWD/secrets exists and is kept." >&2
    exit 0
fi
umask 077
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
owner=$(random)
service=$(random)
new=$(mktemp -d ./secrets.XXXXXX)
printf %s "$owner" >"$new/owner-password"
printf %s "postgresql://atelier_owner:$owner@postgres/atelier" >"$new/owner-url"
printf %s "$service" >"$new/service-password"
printf %s "postgresql://atelier_service:$service@postgres/atelier" >"$new/service-url"
# The containers' users are others; the folder keeps other users of this machine out.
chmod 644 "$new"/*
mv "$new" secrets
echo "Created $PWD/secrets. Keep a copy: the database knows these passwords from now on."
