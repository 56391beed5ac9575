"""Brings the table audit_events of a DuckLake up to what the dataset's log has, each commit once and whole.

    ducklake.py AUDIT CATALOG DATA     e.g. ducklake.py audit lake.ducklake lake-data

Rows and the commits' numbers come in one transaction, so that a run that is cut off leaves the table as it was. `load`
works with any catalog that is attached to DuckDB, also its own database file. Let one load run at a time: DuckLake lets two
writers append at once, and neither would see what the other has loaded.

The rows are copied. `ducklake_add_data_files` would register the dataset's own files, but then the lake may delete them
when it merges files or expires snapshots, and a dataset's files are never deleted.
"""

import json
import pathlib
import sys

import duckdb


def commits(audit, last):
    """The log's commits behind a number, as (number, paths of new Parquet files). Only the members used here are read."""
    found = []
    for path in sorted((pathlib.Path(audit) / "_audit" / "commits").glob("*.json")):
        if int(path.stem) > last:
            commit = json.loads(path.read_text("utf-8"))
            files = [file for window in commit["windows"] for file in window.get("files", [])]
            found.append((commit["number"], [file["path"] for file in files if file["format"] == "parquet"]))
    # The log has no gaps: a number that is missing was not listed yet, or somebody took it away.
    if [number for number, _ in found] != list(range(last + 1, last + 1 + len(found))):
        sys.exit("a commit is missing under _audit/commits; nothing was loaded")
    return found


def load(connection, audit):
    """Into the current catalog and schema; gives the number of commits that were new."""
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE IF NOT EXISTS loaded (number BIGINT)")
    ((last,),) = connection.execute("SELECT coalesce(max(number), -1) FROM loaded").fetchall()
    arrived = commits(audit, last)
    files = [str(pathlib.Path(audit) / path) for _, paths in arrived for path in paths]
    if files:
        rows = "read_parquet($files, union_by_name = true, hive_partitioning = false)"
        kinds = connection.execute(f"DESCRIBE FROM {rows}", {"files": files}).fetchall()
        columns = ", ".join(f'"{name}" {kind}' for name, kind, *_ in kinds)
        connection.execute(f"CREATE TABLE IF NOT EXISTS audit_events ({columns})")
        held = {name for name, *_ in connection.execute("DESCRIBE audit_events").fetchall()}
        for name, kind, *_ in kinds:
            # A longer column list came with the new files.
            if name not in held:
                connection.execute(f'ALTER TABLE audit_events ADD COLUMN "{name}" {kind}')
        connection.execute(f"INSERT INTO audit_events BY NAME FROM {rows}", {"files": files})
    numbers = [number for number, _ in arrived]
    connection.execute("INSERT INTO loaded SELECT unnest($numbers::BIGINT[])", {"numbers": numbers})
    connection.execute("COMMIT")
    return len(arrived)


def main(audit, catalog, data):
    connection = duckdb.connect()
    # From the network, or beforehand from the package duckdb-extension-ducklake.
    connection.execute("INSTALL ducklake")
    connection.execute("LOAD ducklake")
    quoted = [text.replace("'", "''") for text in (catalog, data)]
    connection.execute("ATTACH 'ducklake:{}' AS lake (DATA_PATH '{}')".format(*quoted))
    connection.execute("USE lake")
    print(load(connection, audit), "new commits")


if __name__ == "__main__":
    main(*sys.argv[1:])
