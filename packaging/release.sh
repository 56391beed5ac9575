#!/usr/bin/env bash
# Everything of a release in target/release-files/, from a clean checkout: bash packaging/release.sh
#
# Beyond packaging/static.sh it needs: cargo install --locked cargo-deb cargo-cyclonedx; Debian's ca-certificates and
# musl (its licence). docs/releasing.md says what is made, bash packaging/check.sh tries it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR=target
target=x86_64-unknown-linux-musl
binary=target/$target/release/vonage-audit
files=target/release-files
version=$(sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
# The time of the commit, in archives and documents: the same commit gives the same bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

step() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }

rm -rf "$files"
mkdir -p "$files/licences"

step 'static program'
bash packaging/static.sh

step 'pages, completions, licences'
bash packaging/pages.sh "$binary" "$files/pages"
cp LICENSE-MIT LICENSE-APACHE "$files/licences/"
python3 packaging/notices.py > "$files/licences/THIRD-PARTY-LICENCES.txt"

step 'SBOM'
cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$target" --override-filename "vonage-audit-$version.cdx"
# It names the package by the folder that it lies in.
sed "s|path+file://$PWD|path+file:///vonage-audit|g" "vonage-audit-$version.cdx.json" > "$files/vonage-audit-$version.cdx.json"
rm "vonage-audit-$version.cdx.json"

step 'Debian package'
cargo deb --quiet --locked --no-build --no-strip --target "$target" --output "$files/"

step 'archive'
name=vonage-audit-$version-x86_64-linux
mkdir "$files/$name"
cp -r "$binary" "$files/pages" "$files/licences" README.md CHANGELOG.md "$files/$name/"
tar --create --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --directory "$files" "$name" |
  gzip --no-name --best > "$files/$name.tar.gz"
rm -r "${files:?}/$name"

step 'folder of the image'
mkdir -p "$files/image/data" "$files/image/licences"
cp "$binary" "$files/image/vonage-audit"
cp /etc/ssl/certs/ca-certificates.crt "$files/image/"
cp "$files"/licences/* "$files/image/licences/"
cp /usr/share/doc/ca-certificates/copyright "$files/image/licences/ca-certificates.txt"

step 'sums'
(cd "$files" && sha256sum -- *.deb *.tar.gz *.cdx.json | tee SHA256SUMS)
printf '\nnext: bash packaging/check.sh; docker build --file packaging/Dockerfile --tag vonage-audit:%s %s/image\n' "$version" "$files"
