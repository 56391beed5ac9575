"""Looks at a dataset again and again while it is written: what a query over the glob sees at any moment.

    states.py DATASET READY STOP

A dataset is a folder, or s3://bucket/prefix on the server that AWS_ENDPOINT_URL names: DuckDB's own reader of S3 is no
part of its package, so that pyarrow lists and opens the objects there and DuckDB counts.

What lives here: the law of every moment. No id is there twice, the days that are there are the first ones, and nothing
that was there goes away. Makes the file READY before it begins, and ends after the first look that began when the file
STOP was there.
"""

import datetime
import json
import os
import sys

import duckdb


COUNTS = "SELECT event_date::DATE, count(*), count(DISTINCT id) FROM {} GROUP BY 1 ORDER BY 1"


def look(connection, dest):
    if dest.startswith("s3://"):
        return look_at_objects(connection, dest.removeprefix("s3://"))
    try:
        files = f"read_parquet('{dest}/parquet/**/*.parquet', hive_partitioning=true)"
        return connection.execute(COUNTS.format(files)).fetchall()
    except duckdb.IOException as error:
        if "No files found" in str(error):
            return []
        raise


def look_at_objects(connection, place):
    import pyarrow.dataset
    import pyarrow.fs

    url = os.environ["AWS_ENDPOINT_URL"]
    scheme, _, address = url.partition("://")
    store = pyarrow.fs.S3FileSystem(
        access_key=os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region=os.environ["AWS_REGION"],
        scheme=scheme,
        endpoint_override=address,
    )
    folder = pyarrow.fs.FileSelector(f"{place}/parquet", recursive=True, allow_not_found=True)
    paths = [found.path for found in store.get_file_info(folder) if found.path.endswith(".parquet")]
    if not paths:
        return []
    events = pyarrow.dataset.dataset(paths, filesystem=store, format="parquet", partitioning="hive")
    assert "event_date" in events.schema.names, events.schema.names
    return connection.execute(COUNTS.format("events")).fetchall()


def main(dest, ready, stop):
    connection = duckdb.connect()
    connection.execute("SET threads=1")
    looks, states, before = 0, set(), {}
    open(ready, "w").close()
    last = False
    while not last:
        last = os.path.exists(stop)
        seen = look(connection, dest)
        looks += 1
        for number, (day, rows, ids) in enumerate(seen):
            assert rows == ids, f"{day}: {rows} rows, {ids} ids"
            expected = datetime.date(2026, 3, 1) + datetime.timedelta(days=number)
            assert day == expected, f"{day} is there before {expected}"
        counts = {day: rows for day, rows, _ in seen}
        gone = [str(day) for day, rows in before.items() if counts.get(day, 0) < rows]
        assert not gone, f"rows are gone from {gone}"
        before = counts
        states.add(tuple(counts.values()))
    print(json.dumps({"looks": looks, "states": len(states), "rows": sum(before.values())}))


main(*sys.argv[1:])
