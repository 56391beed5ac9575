#!/usr/bin/env bash
# Manual pages, completions and the example configuration, made by the program itself: bash packaging/pages.sh PROGRAM DIR
set -euo pipefail
program=$1 dir=$2
mkdir -p "$dir/man"
"$program" man > "$dir/man/vonage-audit.1"
"$program" man --dir "$dir/man"
"$program" completions bash > "$dir/vonage-audit.bash"
"$program" completions zsh > "$dir/_vonage-audit"
"$program" completions fish > "$dir/vonage-audit.fish"
"$program" config example > "$dir/vonage-audit.toml"
