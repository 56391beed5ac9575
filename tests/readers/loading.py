"""Follows a dataset through its nights with the loaders of `examples/incremental/` and holds each table against the files.

    loading.py ENGINE NIGHTS EXAMPLES

What lives here: the nights, each loaded with and without a kill at every step that a loader takes; a log that has members
and folders which nobody has invented yet; a log with a gap. The truth is every row of every file, as pyarrow reads each by
itself. A loader that forgets the transaction is run too, and must be found. What this file must not know: the program.
"""

import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from engines import statements, truth
from local_spark import session

DIED = -signal.SIGKILL


def nights(folder):
    """The dataset after each night; the last changed nothing."""
    found = sorted(pathlib.Path(folder).glob("night-*"))
    assert len(found) == 4, found
    return found


def columns_of(night):
    rows = truth(night)
    return list(dict.fromkeys(name for row in rows for name in row))


def faults(night, names, rows):
    """What is wrong with a table's rows."""
    right = {row["id"]: row for row in truth(night)}
    found = []
    missing = [name for name in columns_of(night) if name not in names]
    if missing:
        found.append(f"columns {missing} are missing")
    ids = [row["id"] for row in rows]
    if len(ids) != len(set(ids)):
        found.append(f"{len(ids) - len(set(ids))} rows are doubled")
    if set(ids) != set(right):
        found.append(f"{len(set(right) - set(ids))} rows are missing, {len(set(ids) - set(right))} are not in the files")
    wrong = [
        (row["id"], name)
        for row in rows
        if row["id"] in right
        for name in names
        if row[name] != right[row["id"]].get(name)
    ]
    if wrong:
        found.append(f"{len(wrong)} values differ: {wrong[:3]}")
    return found


def check(night, table, what):
    found = faults(night, *table)
    assert not found, f"{what}: {night.name}: {found}"


def of_tomorrow(folder, into):
    """The same nights with members in the log and levels of folders that do not exist today."""
    for night in nights(folder):
        target = into / night.name
        for path in sorted((night / "_audit" / "commits").glob("*.json")):
            commit = json.loads(path.read_text("utf-8"))
            commit |= {"key": {"id": "k1", "of": [1, None]}, "later": {"files": [{"path": "x", "format": "parquet"}]}}
            for window in commit["windows"]:
                window["raw"] = [{"path": "raw/page.json.zst", "bytes": 3}]
                for file in window["files"]:
                    head, day, name = file["path"].split("/")
                    deep = target / head / day / "type=A%2FB" / name
                    deep.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(night / file["path"], deep)
                    file |= {"path": deep.relative_to(target).as_posix(), "partition": {"type": "A/B"}, "part": 0}
                window["files"].append({"path": "csv/x.csv", "format": "csv", "rows": 1})
            # As if its events had no time that can be read.
            if len(commit["windows"]) > 1:
                commit["undated"] = {"files": commit["windows"].pop()["files"], "dated": 5}
            commit["windows"].append({"from": "2026-01-01T00:00:00", "files": []})
            log = target / "_audit" / "commits" / path.name
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(json.dumps(commit), "utf-8")
    return into


def with_a_gap(night, into):
    """A dataset whose last commit is there and whose first is not."""
    shutil.copytree(night, into)
    (into / "_audit" / "commits" / f"{0:016}.json").unlink()
    return into


class Mortal:
    """A connection whose process is killed before the given call; beyond the last it lives."""

    def __init__(self, connection, calls):
        self.connection, self.calls = connection, calls

    def execute(self, *arguments):
        if self.calls == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.calls -= 1
        return self.connection.execute(*arguments)


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def fetch(connection, name):
    names = [row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()]
    chosen = ", ".join(f"epoch_us({one})" if one == "created_at" else f'"{one}"' for one in names)
    return names, [dict(zip(names, row)) for row in connection.execute(f"SELECT {chosen} FROM {name}").fetchall()]


class DuckDb:
    """The SQL, statement by statement."""

    name = "duckdb"

    def __init__(self, examples, careless=False):
        self.examples, self.careless = examples, careless
        self.script = [
            statement
            for statement in statements((examples / "duckdb.sql").read_text("utf-8"))
            if not (careless and statement in ("BEGIN", "COMMIT"))
        ]

    @contextlib.contextmanager
    def open(self, place):
        import duckdb

        with duckdb.connect(str(place / "audit.duckdb")) as connection:
            connection.execute("SET autoinstall_known_extensions = false")
            yield connection

    def load(self, place, night, calls=-1):
        with self.open(place) as connection:
            connection.execute(f"SET VARIABLE audit = '{night}'")
            connection = Mortal(connection, calls)
            for statement in self.script:
                connection.execute(statement)

    def table(self, place):
        with self.open(place) as connection:
            return fetch(connection, "audit_events")


class DuckLake:
    """The program as it is run, with the extension where an earlier INSTALL would have put it."""

    name = "ducklake"

    def __init__(self, examples, careless=False):
        import duckdb
        import duckdb_extension_ducklake as package

        self.examples, self.careless = examples, careless
        self.program = module(examples / "ducklake.py")
        (extension,) = pathlib.Path(package.__file__).parent.rglob("ducklake.duckdb_extension")
        (platform,) = duckdb.execute("PRAGMA platform").fetchone()
        self.home = pathlib.Path(tempfile.mkdtemp())
        installed = self.home / f"v{duckdb.__version__}" / platform
        installed.mkdir(parents=True)
        shutil.copy(extension, installed)
        self.connect = lambda: duckdb.connect(config={"extension_directory": str(self.home)})

    def close(self):
        shutil.rmtree(self.home)

    def load(self, place, night, calls=-1):
        def connect():
            connection = Mortal(self.connect(), calls)
            return Careless(connection) if self.careless else connection

        self.program.duckdb = type("duckdb", (), {"connect": staticmethod(connect)})
        with contextlib.redirect_stdout(sys.stderr):
            self.program.main(str(night), str(place / "lake.ducklake"), str(place / "data"))

    def table(self, place):
        with self.connect() as connection:
            connection.execute("LOAD ducklake")
            connection.execute(f"ATTACH 'ducklake:{place}/lake.ducklake' AS lake (READ_ONLY)")
            return fetch(connection, "lake.audit_events")


class Careless:
    """A connection that forgets transactions."""

    def __init__(self, connection):
        self.connection = connection

    def execute(self, statement, *arguments):
        return self.connection.execute("SELECT 1" if statement in ("BEGIN", "COMMIT") else statement, *arguments)


def dies(engine, place, night, calls):
    """Loads in a process of its own; whether it was killed. Engines have threads, so nothing is forked after one ran."""
    command = [sys.executable, "-B", __file__, engine.name, "", engine.examples, place, night, str(calls)]
    command.append(str(int(engine.careless)))
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode in (0, DIED), ended.stderr
    return ended.returncode == DIED


def killed(engine, datasets, scratch):
    """Each night is loaded with a kill before a call, and then again without. Gives kills, and the first fault.

    Every third call, or with VONAGE_AUDIT_TEST_KILLS=all each.
    """
    kills, stride = 0, 1 if os.environ.get("VONAGE_AUDIT_TEST_KILLS") == "all" or engine.careless else 3
    # A lake's catalog knows where its data are, so all happens in one place.
    place, state = scratch / "place", scratch / "state"
    place.mkdir()
    for position, night in enumerate(datasets):
        shutil.copytree(place, state)
        for calls in range(position % stride, 1000, stride):
            died = dies(engine, place, night, calls)
            if died:
                kills += 1
                engine.load(place, night)
            found = faults(night, *engine.table(place))
            if found:
                return kills, f"{night.name}, killed before call {calls}: {found}"
            if not died:
                break
            shutil.rmtree(place)
            shutil.copytree(state, place)
        shutil.rmtree(state)
    return kills, None


def by_sql(kind, folder, examples, scratch):
    """The two loaders that share DuckDB's transactions."""
    engine = kind(examples)
    own = nights(folder)
    later = nights(of_tomorrow(folder, scratch / "tomorrow"))
    for name, datasets in (("today", own), ("tomorrow", later)):
        place = scratch / name
        place.mkdir(exist_ok=True)
        for night in datasets:
            engine.load(place, night)
            check(night, engine.table(place), name)
        before = engine.table(place)
        engine.load(place, datasets[-1])
        assert engine.table(place) == before, "a repeated load changed something"
    place = scratch / "gap"
    place.mkdir()
    try:
        engine.load(place, with_a_gap(own[2], scratch / "without-first"))
        sys.exit("a log with a gap was loaded")
    except (Exception, SystemExit) as error:
        assert "a commit is missing" in str(error), error
    kills, found = killed(engine, own[:3], scratch / "killed")
    assert not found, found
    assert kills >= 10, kills
    careless = kind(examples, careless=True)
    planted, found = killed(careless, own[:2], scratch / "careless")
    assert found, "a loader without a transaction was not found"
    return f"{kills} kills, without a transaction a fault after {planted}"


class Spark:
    def __init__(self, examples):
        self.module = module(examples / "spark.py")
        self.session = session()

    def load(self, place, night):
        return self.module.load(self.session, str(night), str(place / "audit_events"))

    def table(self, place):
        frame = self.session.read.option("mergeSchema", True).parquet(str(place / "audit_events")).drop("last_commit")
        chosen = ["unix_micros(created_at) AS created_at" if name == "created_at" else name for name in frame.columns]
        return frame.columns, [row.asDict() for row in frame.selectExpr(*chosen).collect()]


def cut_off(examples, night, place):
    """Runs the program and kills all of it while Spark has rows on the disk and no folder of the table yet."""
    table = place / "audit_events"
    environment = os.environ | {"PYSPARK_SUBMIT_ARGS": "--master local[1] --conf spark.driver.host=127.0.0.1 pyspark-shell"}
    command = [sys.executable, "-B", examples / "spark.py", night, table]
    before = set(table.glob("last_commit=*"))
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            command, start_new_session=True, stdout=said, stderr=said, env=environment, cwd=place
        )
        # Watches without a pause: the moment is short.
        while child.poll() is None:
            if any(path.name.startswith(".spark-staging") for path in table.glob(".spark-staging*")):
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                break
        said.seek(0)
        assert child.returncode == DIED, said.read().decode()
    return before == set(table.glob("last_commit=*"))


def by_spark(folder, examples, scratch):
    own = nights(folder)
    later = nights(of_tomorrow(folder, scratch / "tomorrow"))
    place = scratch / "killed"
    place.mkdir()
    assert cut_off(examples, own[0], place), "Spark was quicker than the kill"
    assert list((place / "audit_events").glob(".spark-staging*")), "nothing was left behind"
    spark = Spark(examples)
    for name, datasets in (("killed", own), ("tomorrow", later)):
        for night in datasets:
            spark.load(scratch / name, night)
            check(night, spark.table(scratch / name), name)
        assert spark.load(scratch / name, datasets[-1]) == 0, "a repeated load found something new"
        check(datasets[-1], spark.table(scratch / name), name)
    try:
        spark.load(scratch / "gap", with_a_gap(own[2], scratch / "without-first"))
        sys.exit("a log with a gap was loaded")
    except SystemExit as error:
        assert "a commit is missing" in str(error), error
    # What each folder brings, once more: the check finds it.
    names, rows = spark.table(scratch / "killed")
    assert faults(own[3], names, rows + rows[:1]) and faults(own[3], names, rows[1:]), "the check is blind"
    spark.session.stop()
    return "1 kill"


def main(engine, folder, examples, *dying):
    examples = pathlib.Path(examples)
    kinds = {"duckdb": DuckDb, "ducklake": DuckLake}
    if dying:
        place, night, calls, careless = dying
        kinds[engine](examples, careless == "1").load(pathlib.Path(place), pathlib.Path(night), int(calls))
        return
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name in ("killed", "careless"):
            if engine != "spark":
                (scratch / name).mkdir()
        if engine == "spark":
            said = by_spark(folder, examples, scratch)
        else:
            said = by_sql(kinds[engine], folder, examples, scratch)
    last = nights(folder)[-1]
    widths = {len(row) for row in truth(last)}
    print(f"{engine}: 4 nights, {len(truth(last))} rows, {len(columns_of(last))} columns, files of {len(widths)} widths, {said}")


if __name__ == "__main__":
    main(*sys.argv[1:])
