"""The Vonage audit log, every night: export, then verification. For Airflow 3; the program is in the workers' PATH.

Credentials are in the workers' environment (VONAGE_API_KEY, VONAGE_API_SECRET), as a secrets backend puts them there: a
task's command and its log show neither. VONAGE_AUDIT_DEST is the destination, a folder or a bucket.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

DEST = os.environ.get("VONAGE_AUDIT_DEST", "/srv/audit")
FIRST_DAY = "2026-01-01"
#: Done and proven, with something to look at.
REMARKABLE = {10: "events in quarantine", 11: "events hold more than the table says"}
#: What was committed stays; the same command goes on there.
AGAIN = {3, 6, 7, 8, 12, 130, 143}


def outcome(command: list[str]) -> dict:
    """Runs it; a code that a person has to look at fails without another try."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    said = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    if done.returncode in AGAIN:
        raise RuntimeError(f"vonage-audit ended with {done.returncode}; another try goes on where it stopped")
    if done.returncode and done.returncode not in REMARKABLE:
        raise AirflowFailException(f"vonage-audit ended with {done.returncode}; a person has to look: {said.get('error')}")
    if done.returncode:
        print(f"WARNING: {REMARKABLE[done.returncode]}")
    return said


@dag(
    schedule="17 3 * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    # The destination is the state: one run makes up for all nights that were missed.
    catchup=False,
    max_active_runs=1,
    tags=["audit"],
)
def vonage_audit():
    @task(retries=3, retry_delay=datetime.timedelta(minutes=30), execution_timeout=datetime.timedelta(hours=5))
    def export() -> str:
        said = outcome([
            "vonage-audit", "export", "--incremental", "--from", FIRST_DAY, "--dest", DEST,
            "--max-duration", "4h", "--output", "json",
        ])
        # Kept in Airflow's database, where the exporting machine does not write.
        return f"{said['head']['number']}:{said['head']['sha256']}"

    @task
    def verify(head: str) -> None:
        said = outcome([
            "vonage-audit", "verify", DEST, "--expect-head", head, "--covers", f"{FIRST_DAY}..yesterday",
            "--output", "json",
        ])
        print(f"{said['errors']} errors, {said['warnings']} warnings")

    verify(export())


vonage_audit()
