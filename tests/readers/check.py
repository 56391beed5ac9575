"""Opens an export with DuckDB and pyarrow and holds it against the truth.

    check.py EXPORT TRUTH.ndjson SCHEMAS

What lives here: the checks of one export, each failure as (kind, sentence). `controls.py` proves that each kind can
fail. What this file must not know: how the program works; it reads the documents under schemas/ and the files.
"""

import collections
import datetime
import hashlib
import json
import pathlib
import re
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lossless import coerce, member_text, parse, rebuild, value_at

SLOT = re.compile(r"event_date=(\d{4})-(\d\d)-(\d\d)/events-\1\2\3(T\d\d)?-s\d{3}\.parquet")
ARROW = {"utf8": pa.string(), "timestamp[us, tz=UTC]": pa.timestamp("us", tz="UTC")}
DUCKDB = {"utf8": "VARCHAR", "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE"}
#: Failures named one by one for each kind; a broken export has thousands.
SHOWN = 5


class Failures(list):
    def expect(self, kind, right, sentence):
        if not right:
            self.append((kind, sentence))


def load_columns(schemas):
    return json.loads((pathlib.Path(schemas) / "table.lock.json").read_text("utf-8"))


def data_files(export):
    return sorted((pathlib.Path(export) / "parquet").rglob("*.parquet"))


def check_names(export, failures):
    """Nothing but complete slots may have a name under a format's folder."""
    root = pathlib.Path(export) / "parquet"
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        failures.expect("name", path.is_dir() or SLOT.fullmatch(name), f"not a slot: {name}")


def check_form(path, lock, failures):
    """Types, order and settings of one file, by pyarrow."""
    file = pq.ParquetFile(path)
    columns, schema, metadata = lock["columns"], file.schema_arrow, file.metadata
    names = [column["name"] for column in columns]
    failures.expect("order", schema.names == names, f"{path.name}: columns are {schema.names}")
    for column in columns:
        position = schema.get_field_index(column["name"])
        if position < 0:
            continue
        field, name = schema.field(position), f"{path.name}: {column['name']}"
        failures.expect("type", field.type == ARROW[column["arrow"]], f"{name} is {field.type}")
        failures.expect("nullable", field.nullable, f"{name} is not nullable")
        own = (field.metadata or {}).get(b"PARQUET:field_id")
        failures.expect("field id", own == str(column["field_id"]).encode(), f"{name} has field id {own}")
    sort = [schema.get_field_index(name) for name in ("created_at", "id")]
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        own = [(item.column_index, item.descending) for item in group.sorting_columns]
        failures.expect("sorting", own == [(item, False) for item in sort], f"{path.name}: sorted by {own}")
        for position in range(group.num_columns):
            chunk = group.column(position)
            name = f"{path.name}: {chunk.path_in_schema}"
            # What is too short for a compressor is written without: 320 bytes and the pages' heads.
            short = metadata.num_rows < 8_192 and chunk.total_uncompressed_size < 448
            kinds = ("ZSTD", "UNCOMPRESSED") if short else ("ZSTD",)
            failures.expect("compression", chunk.compression in kinds, f"{name} is {chunk.compression}")
            failures.expect("page index", chunk.has_offset_index, f"{name} has no offset index")
            indexed = chunk.has_column_index or chunk.path_in_schema.endswith("_json")
            failures.expect("page index", indexed, f"{name} has no column index")
    pairs = {
        key.decode(): value.decode("utf-8", "replace") for key, value in (metadata.metadata or {}).items()
    }
    for what in ("version", "fingerprint"):
        found = [
            value for key, value in pairs.items() if key.startswith("vonage_audit.") and key.endswith(what)
        ]
        failures.expect("metadata", lock[what] in found, f"{path.name}: no schema {what} in {sorted(pairs)}")


def pyarrow_rows(path, lock):
    table = pq.ParquetFile(path).read()
    data = {}
    for name, column in zip(table.column_names, table.columns):
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        data[name] = column.to_pylist()
    return [dict(zip(data, values)) for values in zip(*data.values())]


def duckdb_rows(export, lock, failures):
    """All rows as DuckDB reads the tree, with the partition's date; and its types."""
    engine = duckdb.connect()
    engine.execute("SET autoinstall_known_extensions = false")
    glob = str(pathlib.Path(export) / "parquet" / "**" / "*.parquet").replace("'", "''")
    source = f"read_parquet('{glob}', hive_partitioning = true)"
    described = [(row[0], row[1]) for row in engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    expected = [(column["name"], DUCKDB[column["arrow"]]) for column in lock["columns"]] + [
        ("event_date", "DATE")
    ]
    failures.expect("type", described == expected, f"DuckDB sees {sorted(set(described) ^ set(expected))}")
    counted = engine.execute(f"SELECT count(*), count(DISTINCT id) FROM {source}").fetchone()
    names = [name for name, _ in described]
    selected = ", ".join("epoch_us(created_at)" if name == "created_at" else f'"{name}"' for name in names)
    rows = engine.execute(f"SELECT {selected} FROM {source}").fetchall()
    return counted, [dict(zip(names, row)) for row in rows]


def check_row(row, line, event, columns, registry, failures):
    name = row["id"]
    for column in columns:
        if column["kind"] == "source":
            own = coerce(value_at(event, column["pointer"]), column)
            right = row[column["name"]] == own
            failures.expect(
                "value", right, f"{name}: {column['name']} is {row[column['name']]!r}, not {own!r}"
            )
    own = member_text(line, "context")
    failures.expect(
        "context",
        row["context_json"] == own,
        f"{name}: context is {row['context_json']!r:.200}, not {own!r:.200}",
    )
    try:
        right = rebuild(row, columns) == event
    except ValueError as error:
        right, name = False, f"{name} ({error})"
    failures.expect(
        "rebuild",
        right,
        f"{name}: {line:.300} is not what its row gives; remainder {row['unmapped_json']!r:.200}",
    )
    known = registry.get(row["event_type"], {"category": "unknown", "action": "unknown", "target_type": None})
    for field, column in [
        ("category", "event_category"),
        ("action", "event_action"),
        ("target_type", "target_type"),
    ]:
        right = row[column] == known[field]
        failures.expect("derived", right, f"{name}: {column} is {row[column]!r} for {row['event_type']!r}")


def check_data(export, truth, schemas):
    """Every failure of an export's data files against the truth, a list of JSON texts."""
    failures = Failures()
    lock = load_columns(schemas)
    document = json.loads((pathlib.Path(schemas) / "registry.json").read_text("utf-8"))
    registry = {entry["type"]: entry for entry in document["types"]}
    check_names(export, failures)
    own_rows = []
    for path in data_files(export):
        check_form(path, lock, failures)
        rows = pyarrow_rows(path, lock)
        own_rows += rows
        failures.expect("empty", rows, f"{path.name} has no rows")
        keys = [(row.get("created_at") is None, row.get("created_at"), row.get("id")) for row in rows]
        failures.expect("sorted", keys == sorted(keys), f"{path.name}: rows are not sorted by created_at, id")
    (count, distinct), rows = duckdb_rows(export, lock, failures)
    failures.expect("count", count == len(truth), f"{count} rows, {len(truth)} events")
    failures.expect("distinct", distinct == count, f"{count} rows, {distinct} ids")

    def by_id(rows):
        return sorted(rows, key=lambda row: (row["id"], row["event_type"] or ""))

    stripped = [{key: value for key, value in row.items() if key != "event_date"} for row in rows]
    failures.expect("readers", by_id(stripped) == by_id(own_rows), "DuckDB and pyarrow read different rows")
    events = {}
    for line in truth:
        event = parse(line)
        events[event.last("id")] = (line, event)
    missing = sorted(events.keys() - {row["id"] for row in rows})
    failures.expect("missing", not missing, f"{len(missing)} events are missing: {missing[:3]}")
    for row in rows:
        failures.expect("foreign", row["id"] in events, f"no event has the id {row['id']!r}")
        own = row["created_at"]
        day = own is not None and datetime.date(1970, 1, 1) + datetime.timedelta(days=own // 86_400_000_000)
        failures.expect(
            "partition", day == row["event_date"], f"{row['id']}: {day} lies in {row['event_date']}"
        )
        if row["id"] in events:
            line, event = events[row["id"]]
            check_row(row, line, event, lock["columns"], registry, failures)
    return failures


def records(value):
    """Every object with a path and a digest in a commit, wherever it stands."""
    if isinstance(value, dict):
        if "path" in value and "sha256" in value:
            yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else []:
        yield from records(inner)


def check_log(export):
    """The log names exactly the data files and those of quarantine, with their digests and rows, and is one unbroken chain."""
    failures = Failures()
    root = pathlib.Path(export)
    named = {}
    previous = hashlib.sha256((root / "_audit" / "dataset.json").read_bytes()).hexdigest()
    commits = sorted((root / "_audit" / "commits").glob("*.json"))
    failures.expect("log", commits, "the log is empty")
    for number, path in enumerate(commits):
        commit = json.loads(path.read_bytes())
        failures.expect("log", path.name == f"{number:016}.json", f"{path.name} is not commit {number}")
        failures.expect("log", previous in commit.values(), f"{path.name} is not chained to the one before")
        previous = hashlib.sha256(path.read_bytes()).hexdigest()
        for record in records(commit):
            failures.expect("log", record["path"] not in named, f"{record['path']} is recorded twice")
            named[record["path"]] = record
    there = {path.relative_to(root).as_posix(): path for path in data_files(export)}
    for kept in (path for path in (root / "_audit" / "quarantine").glob("*") if path.is_file()):
        there[kept.relative_to(root).as_posix()] = kept
    failures.expect(
        "log", set(named) == set(there), f"log and folder differ: {sorted(set(named) ^ set(there))[:3]}"
    )
    for name in set(named) & set(there):
        own = hashlib.sha256(there[name].read_bytes()).hexdigest()
        failures.expect("log", named[name]["sha256"] == own, f"{name} has another digest than the log says")
        if "rows" not in named[name]:
            continue
        rows = pq.ParquetFile(there[name]).metadata.num_rows
        failures.expect(
            "log", named[name]["rows"] == rows, f"{name} has {rows} rows, the log says {named[name]['rows']}"
        )
    return failures


def show(failures):
    seen = collections.Counter()
    for kind, sentence in failures:
        seen[kind] += 1
        if seen[kind] <= SHOWN:
            print(f"FAILED {kind}: {sentence}")
    for kind, count in seen.items():
        print(f"FAILED {kind}: {count} times")
    return not failures


def read_truth(path):
    # Not splitlines: U+2028 and its like are letters of a JSON string.
    return [line for line in pathlib.Path(path).read_text("utf-8").split("\n") if line]


if __name__ == "__main__":
    export, truth, schemas = sys.argv[1:]
    lines = read_truth(truth)
    right = show(check_data(export, lines, schemas)) & show(check_log(export))
    print(f"{len(lines)} events, {len(data_files(export))} files")
    sys.exit(not right)
