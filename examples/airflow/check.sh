#!/bin/sh
# Runs the DAG beside this script against the sandbox with `airflow dags test`, twice; then with a wrong secret, which must fail.
#
#   check.sh [FOLDER]      a folder for the environment and the data; needs vonage-audit in the path, Python 3.11 and PyPI
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-airflow-check}"
cd "${1:-airflow-check}"
[ -x venv/bin/airflow ] || { python3 -m venv venv && venv/bin/pip install --quiet 'apache-airflow==3.3.2'; }

rm -rf audit home
vonage-audit sandbox --port 0 --events 2000 >sandbox.txt &
trap 'kill $!' EXIT
until grep -q '^listening on ' sandbox.txt; do sleep 0.1; done
VONAGE_API_KEY=abcd1234 VONAGE_API_SECRET=sandbox-secret
VONAGE_AUDIT_API_URL=$(sed -n 's/^listening on //p' sandbox.txt)
VONAGE_AUDIT_DEST=$PWD/audit
AIRFLOW_HOME=$PWD/home AIRFLOW__CORE__DAGS_FOLDER=$here AIRFLOW__CORE__LOAD_EXAMPLES=False
export VONAGE_API_KEY VONAGE_API_SECRET VONAGE_AUDIT_API_URL VONAGE_AUDIT_DEST
export AIRFLOW_HOME AIRFLOW__CORE__DAGS_FOLDER AIRFLOW__CORE__LOAD_EXAMPLES
export PYTHONDONTWRITEBYTECODE=1

venv/bin/airflow db migrate >migrate.log 2>&1
for night in 2026-11-01 2026-11-02; do
  venv/bin/airflow dags test vonage_audit "$night" >"$night.log" 2>&1 || { cat "$night.log"; exit 1; }
  grep -q 'state=success\|DagRun Finished.*success' "$night.log" || { cat "$night.log"; exit 1; }
done
vonage-audit verify audit >verified.txt
if VONAGE_API_SECRET=wrong venv/bin/airflow dags test vonage_audit 2026-11-03 >refused.log 2>&1; then
  grep -q 'a person has to look' refused.log || { cat refused.log; exit 1; }
fi
grep -q 'ended with 5' refused.log
echo 'two nights exported and verified; a refused secret failed the run'
