"""Looks at a dataset again and again while it is written: what a query over the glob sees at any moment.

    states.py DATASET READY STOP

What lives here: the law of every moment. No id is there twice, the days that are there are the first ones, and nothing
that was there goes away. Makes the file READY before it begins, and ends after the first look that began when the file
STOP was there.
"""

import datetime
import json
import os
import sys

import duckdb


def look(connection, dest):
    try:
        return connection.execute(
            f"SELECT event_date::DATE, count(*), count(DISTINCT id) FROM read_parquet('{dest}/parquet/**/*.parquet', "
            "hive_partitioning=true) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    except duckdb.IOException as error:
        if "No files found" in str(error):
            return []
        raise


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
