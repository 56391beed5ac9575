#!/usr/bin/env bash
# The program as one static file for Linux, with the list of its crates inside: bash packaging/static.sh
#
# Needs: rustup target add x86_64-unknown-linux-musl, musl-gcc (Debian: musl-tools), readelf (binutils) and, for the list
# of crates, cargo install --locked cargo-auditable. Without the last it stops, unless AUDITABLE=no.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR=target
target=x86_64-unknown-linux-musl
binary=target/$target/release/vonage-audit

for program in cargo musl-gcc readelf; do
  command -v "$program" >/dev/null || { printf 'missing: %s\n' "$program" >&2; exit 1; }
done
build=(cargo auditable build)
if [[ ${AUDITABLE:-yes} == no ]]; then
  build=(cargo build)
elif ! cargo auditable --version >/dev/null 2>&1; then
  printf 'missing: cargo-auditable; install it, or set AUDITABLE=no\n' >&2
  exit 1
fi

# No path of this machine in the file: the same source and tools give the same bytes in every folder.
CARGO_ENCODED_RUSTFLAGS=$(printf -- '--remap-path-prefix=%s=/cargo\x1f--remap-path-prefix=%s=/vonage-audit' \
  "${CARGO_HOME:-$HOME/.cargo}" "$PWD")
export CARGO_ENCODED_RUSTFLAGS
"${build[@]}" --release --locked --target "$target" --bin vonage-audit

# Static means: no loader and no library is asked for.
if readelf --wide --program-headers "$binary" | grep -q INTERP || readelf --dynamic "$binary" | grep -q NEEDED; then
  printf 'not static: %s\n' "$binary" >&2
  exit 1
fi
printf '%s: %d bytes, sha256 %s\n' "$binary" "$(stat --format=%s "$binary")" "$(sha256sum "$binary" | cut -d' ' -f1)"
