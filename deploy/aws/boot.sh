#!/bin/sh
# Makes this host an instance, an nginx host or a job of Atelier Q&A.
#
# It is part of a release (`make bundle`), whose folder it installs; run it as root on Debian 12 or
# 13 or Amazon Linux 2023. It may be run again. Inputs, as variables or in /etc/atelier/host.env:
#
#   ROLE          app: instances; nginx; job: migrates or imports, then ends; image: installs only
#   PLATFORM      aws, or empty: no API of a cloud is used
#   PROCESSES     app: the number of instances, by default one per CPU; they listen on 9001, ...
#   BIND          app: the address they listen on, by default 0.0.0.0
#   SETTINGS      settings of docs/configuration.md without secrets: NAME=VALUE NAME=VALUE
#   SERVERS       nginx without a cloud: HOST:PORT of every instance
#   LISTEN        nginx: the port, by default 80
#   WAIT_SECONDS  app, nginx: how long to wait until requests are served, by default 600
#   DATABASE_CA_URL  where the certificates are that the database's is verified against
#
# Secrets, without a cloud: ATELIER_DATABASE_URL etc. in /etc/atelier/secrets.env (mode 600).
set -eu
umask 022

release=$(cd "$(dirname "$0")" && pwd)
current=/opt/atelier/current
[ ! -e /etc/atelier/host.env ] || . /etc/atelier/host.env
ROLE=${ROLE:?is app, nginx, job or image}
PLATFORM=${PLATFORM:-}
WAIT_SECONDS=${WAIT_SECONDS:-600}
nginx_unit=/etc/systemd/system/nginx.service

say() { echo "atelier-boot: $*"; }

install_packages() {  # those of the system that are missing
    if command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        set -- python3 curl ca-certificates
        needs_nginx && set -- "$@" nginx-light logrotate  # which nginx's package configures
        if needs_nginx && [ ! -L "$nginx_unit" ]; then
            ln -sf /dev/null "$nginx_unit"  # the package is not to start it
        fi
        dpkg -s "$@" >/dev/null 2>&1 && return
        apt-get -q update
        apt-get -qy install --no-install-recommends "$@"
    else
        set -- python3.11
        needs_nginx && set -- "$@" nginx logrotate
        rpm -q "$@" >/dev/null 2>&1 || dnf -qy install "$@"
    fi
}

needs_nginx() { [ "$ROLE" = nginx ] || [ "$ROLE" = image ]; }

install_release() {  # into the release's own folder, then switch to it
    if [ ! -e "$release/installed" ]; then
        python=$(command -v python3.11 || command -v python3)
        rm -rf "$release/venv"
        "$python" -m venv --without-pip "$release/venv"
        for wheel in "$release"/pip-*.whl; do  # Debian's python3 has no pip
            pip="$wheel/pip"
        done
        pip() { "$release/venv/bin/python" "$pip" --disable-pip-version-check -qq "$@"; }
        index=
        [ ! -e "$release/wheels" ] || index="--no-index --find-links $release/wheels"
        # shellcheck disable=SC2086 # two words, or none
        pip install $index --require-hashes --requirement "$release/requirements.txt"
        pip install --no-index --no-deps "$release"/atelier_qa-*.whl
        touch "$release/installed"
    fi
    mkdir -p "$(dirname "$current")"
    ln -sfn "$release" "$current"
    cp "$release"/systemd/* /etc/systemd/system/
    systemctl daemon-reload
}

write_settings() {
    mkdir -p /etc/atelier
    # shellcheck disable=SC2086 # one line per setting
    { [ -z "${SETTINGS:-}" ] || printf '%s\n' ${SETTINGS:-}; echo "BIND=${BIND:-0.0.0.0}"; } \
        >/etc/atelier/service.env
    if [ -n "${DATABASE_CA_URL:-}" ]; then
        curl -fsS --retry 5 -o /etc/atelier/database-ca.pem "$DATABASE_CA_URL"
    fi
}

start_instances() {  # those that run already get the release and the settings one after the other
    port=9001
    while [ "$port" -le $((9000 + ${PROCESSES:-$(nproc)})) ]; do
        systemctl enable "atelier@$port.service"
        systemctl restart "atelier@$port.service"
        wait_for "http://127.0.0.1:$port/ready"
        port=$((port + 1))
    done
}

start_nginx() {
    if [ "$(readlink "$nginx_unit")" != atelier-nginx.service ]; then
        systemctl stop nginx.service 2>/dev/null || true  # of a host that had nginx before
        # Not masked: the rotation of Debian's package reaches no nginx whose unit is masked.
        ln -sf atelier-nginx.service "$nginx_unit"
        systemctl daemon-reload
    fi
    getent passwd www-data >/dev/null || useradd --system --no-create-home www-data
    mkdir -p /var/lib/nginx /var/log/nginx
    if [ "$PLATFORM" = aws ]; then
        systemctl enable --now atelier-aws-follow.service  # writes the configuration, then reloads
    else
        set -- --listen "${LISTEN:-80}"
        for server in ${SERVERS:?names the instances}; do set -- "$@" --server "$server"; done
        set -a; . /etc/atelier/service.env; set +a
        nginx_version=$(nginx -v 2>&1 | sed 's/.*nginx\/\([0-9.]*\).*/\1/')
        "$current/venv/bin/atelier" nginx-config --nginx-version "$nginx_version" "$@" \
            >/etc/atelier/nginx.conf
        systemctl enable atelier-nginx.service
        systemctl reload-or-restart atelier-nginx.service
    fi
    wait_for "http://127.0.0.1:${LISTEN:-80}/ready"
}

wait_for() {  # an address to answer 200; the database may still be in creation
    say "waiting for $1"
    seconds=0
    until curl -fs -o /dev/null --max-time 5 "$1"; do
        seconds=$((seconds + 2))
        if [ "$seconds" -gt "$WAIT_SECONDS" ]; then
            say "$1 did not answer 200 within $WAIT_SECONDS s; its last answer:"
            curl -sS --max-time 5 "$1" || true
            exit 1
        fi
        sleep 2
    done
}

install_packages
install_release
write_settings
if [ "$PLATFORM" = aws ] && [ "$ROLE" != image ]; then
    systemctl enable --now atelier-aws-logs.service  # first, so that a boot that fails is logged
fi
case $ROLE in
app)
    [ "$PLATFORM" != aws ] || systemctl enable --now atelier-aws-secrets.service
    start_instances
    [ "$PLATFORM" != aws ] || systemctl enable --now atelier-aws-watch.service
    ;;
nginx)
    start_nginx
    ;;
job)
    set -a; . /etc/atelier/host.env; set +a
    trap 'systemctl poweroff' EXIT
    "$current/venv/bin/python" -m atelier.cloud.hosts job
    ;;
image)  # without what belongs to this host
    rm -f /etc/atelier/host.env /etc/atelier/service.env
    cloud-init clean --logs --machine-id || true
    systemctl poweroff
    ;;
*)
    say "ROLE=$ROLE: set it to app, nginx, job or image"
    exit 1
    ;;
esac
if [ "$PLATFORM" = aws ] && [ "$ROLE" != image ]; then
    set -a; . /etc/atelier/host.env; set +a
    "$current/venv/bin/python" -m atelier.cloud.hosts ready
fi
say "$ROLE is ready"
