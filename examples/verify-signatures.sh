#!/bin/sh
# Checks the chain and every signature of a dataset's log, without vonage-audit.
#
#   verify-signatures.sh DATASET KEY.pub.pem [NEXT.pub.pem …]
#
# The public keys come from somebody you trust, not from the dataset; after a change of keys, all of them, oldest first.
# Needs sha256sum, OpenSSL 3 and the usual tools. Ends with 0 if every commit is chained and signed, with 1 and the
# reason if not. It does not read data files, and cannot see that the newest commits were cut off: compare the head.
set -eu
export LC_ALL=C

fail() {
  printf 'NOT VERIFIED: %s\n' "$*" >&2
  exit 1
}
digest() {
  sha256sum <"$1" | cut -d ' ' -f 1
}
# The raw public key of a PEM file, in hex: the last 32 bytes of its DER form.
raw() {
  openssl pkey -pubin -in "$1" -outform DER | tail -c 32 | od -An -v -tx1 | tr -d ' \n'
}

[ $# -ge 2 ] || fail 'usage: verify-signatures.sh DATASET KEY.pub.pem [NEXT.pub.pem ...]'
log=$1/_audit/commits dataset=$1/_audit/dataset.json
shift
[ -f "$dataset" ] || fail "no $dataset"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

id=$(digest "$dataset") previous=$(digest "$dataset") number=0 key=$1 rotated=no
shift
while name=$(printf '%016d.json' "$number") && [ -f "$log/$name" ]; do
  # Control files are canonical JSON, so these members have one spelling and one place.
  stated=$(sed -n 's/.*"number":\([0-9]*\),"previous":"\([0-9a-f]*\)","recorded_at":.*/\1 \2/p' "$log/$name")
  [ "$stated" = "$number $previous" ] || fail "$name does not continue the log"
  new=$(sed -n 's/^{[^{}]*"key":{[^{}]*"public_key":"\([0-9a-f]*\)"}.*/\1/p' "$log/$name")
  if [ -n "$new" ]; then
    if [ "$rotated" = yes ]; then
      [ $# -ge 1 ] || fail "$name brings in a key that was not given: $new"
      key=$1
      shift
    fi
    [ "$new" = "$(raw "$key")" ] || fail "$name brings in another key than $key"
    rotated=yes
  fi
  previous=$(digest "$log/$name")
  [ -f "$log/$name.sig" ] || fail "$name has no signature"
  printf 'vonage-audit-commit-v1\n%s\n%s\n%s\n' "$id" "$number" "$previous" >"$work/text"
  openssl pkeyutl -verify -rawin -in "$work/text" -sigfile "$log/$name.sig" -pubin -inkey "$key" >/dev/null 2>&1 ||
    fail "$name is not signed with $key"
  number=$((number + 1))
done
[ "$number" -gt 0 ] || fail 'the log is empty'
[ "$rotated" = yes ] || fail 'the log names no key'
[ $# -eq 0 ] || fail "the log does not name $1"
found=$(find "$log" -mindepth 1 ! -name '.*' | wc -l)
[ "$found" -eq $((2 * number)) ] || fail "$log holds $found names, not $((2 * number)): a commit is missing, or something was added"
printf 'verified: %d commits, head %d %s\n' "$number" $((number - 1)) "$previous"
