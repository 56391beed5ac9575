#!/bin/sh
# Runs the dbt project beside this script over sandbox data: two nights, the second with more days.
#
#   check.sh [FOLDER]      a folder for the environment and the data; needs vonage-audit in the path, Python 3.11 and PyPI
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-dbt-check}"
cd "${1:-dbt-check}"
[ -x venv/bin/dbt ] || { python3 -m venv venv && venv/bin/pip install --quiet 'dbt-core==1.10.23' 'dbt-duckdb==1.10.1' 'duckdb==2.0.1'; }

rm -rf audit audit.duckdb project
cp -r "$here" project
vonage-audit sandbox --port 0 --events 2000 >sandbox.txt &
trap 'kill $!' EXIT
until grep -q '^listening on ' sandbox.txt; do sleep 0.1; done
VONAGE_API_KEY=abcd1234 VONAGE_API_SECRET=sandbox-secret
VONAGE_AUDIT_API_URL=$(sed -n 's/^listening on //p' sandbox.txt)
export VONAGE_API_KEY VONAGE_API_SECRET VONAGE_AUDIT_API_URL

for to in 2026-02-01 2026-04-01; do
  vonage-audit export --from 2026-01-01 --to "$to" --dest audit --quiet
  venv/bin/dbt --no-use-colors build --project-dir project --profiles-dir project
done
venv/bin/dbt --no-use-colors show --project-dir project --profiles-dir project \
  --inline "select count(*) as days, sum(events) as events from {{ ref('audit_days') }}"
