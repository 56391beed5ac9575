#!/bin/sh
# Two more S3 servers, built from their published source and asked the same questions as the servers of the tests:
# s3s-fs, which checks signatures but is not atomic when several create one object at once, and Garage, which takes
# If-None-Match and overwrites, and must be refused.
#
#   tests/object_stores/servers.sh s3s-fs     about 3 CPU minutes to build
#   tests/object_stores/servers.sh garage     about 15 CPU minutes to build
#
# Needs cargo with access to crates.io, a C compiler, and python3. Everything stays below target/tmp.
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/target/tmp/servers
mkdir -p "$work"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

wait_for() {
    python3 - "$1" <<'PYTHON'
import socket, sys, time
for _ in range(600):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()
        sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit("the server does not listen")
PYTHON
}

ask() { cargo test --test object_stores -- --ignored --nocapture --exact "$@"; }

install() { # name, version, more
    name=$1 version=$2
    shift 2
    cargo install "$name" --version "$version" --locked --root "$work/$name" --target-dir "$work/$name-build" "$@"
}

server=
trap '[ -z "$server" ] || kill "$server"' EXIT
data=$(mktemp -d "$work/data.XXXXXX")
port=$(free_port)
export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_REGION=us-east-1 OBJECT_STORES_URL=s3://test/run

case ${1:-} in
s3s-fs)
    install s3s-fs 0.14.1 --features binary
    export AWS_ACCESS_KEY_ID=AKtest AWS_SECRET_ACCESS_KEY=SKtest
    mkdir "$data/test"
    "$work/s3s-fs/bin/s3s-fs" --host 127.0.0.1 --port "$port" --access-key "$AWS_ACCESS_KEY_ID" \
        --secret-key "$AWS_SECRET_ACCESS_KEY" "$data" >"$data.log" 2>&1 &
    server=$!
    wait_for "$port"
    ask external::it_conforms_to_one_writer external::it_holds_what_a_disk_holds
    ;;
garage)
    install garage 2.5.0
    rpc=$(free_port) admin=$(free_port)
    cat >"$data/garage.toml" <<TOML
metadata_dir = "$data/meta"
data_dir = "$data/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$rpc"
rpc_public_addr = "127.0.0.1:$rpc"
rpc_secret = "$(python3 -c 'import secrets; print(secrets.token_hex(32))')"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:$port"
root_domain = ".s3.localhost"
[admin]
api_bind_addr = "127.0.0.1:$admin"
TOML
    AWS_ACCESS_KEY_ID=GK$(python3 -c 'import secrets; print(secrets.token_hex(12))')
    AWS_SECRET_ACCESS_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    GARAGE_DEFAULT_ACCESS_KEY=$AWS_ACCESS_KEY_ID GARAGE_DEFAULT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY \
        GARAGE_DEFAULT_BUCKET=test "$work/garage/bin/garage" -c "$data/garage.toml" \
        server --single-node --default-bucket >"$data.log" 2>&1 &
    server=$!
    wait_for "$port"
    ask external::it_overwrites_and_is_refused
    ;;
*)
    echo "usage: $0 s3s-fs|garage" >&2
    exit 2
    ;;
esac
