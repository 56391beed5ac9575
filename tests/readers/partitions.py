"""Reads datasets of every layout by Hive's folders, with readers that are not ours.

    partitions.py FOLDER EVENTS.ndjson

FOLDER/NN is a dataset, FOLDER/NN.json the list of its keys. What lives here: the truth from the events alone, with the
spelling of partition values written a second time; DuckDB, pyarrow and Spark over each format. What this file must not
know: the program.
"""

import collections
import datetime
import hashlib
import json
import pathlib
import string
import sys
import urllib.parse

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds

from local_spark import session

NULL = "__HIVE_DEFAULT_PARTITION__"
FOLDERS = {"event_type": "type"}
FORMATS = ("parquet", "csv", "ndjson")


def spelled(key, value):
    """A value in a path; NULL for none."""
    if not value:
        return NULL
    letters = string.ascii_uppercase if key == "event_type" else string.ascii_lowercase
    plain = set((letters + string.digits + "-").encode())
    out = ""
    data = value.encode()
    for place, byte in enumerate(data):
        if byte in plain or (byte == ord("_") and place > 0):
            out += chr(byte)
        else:
            out += f"%{byte:02X}"
    # Readers decode before they look for the name of null.
    if len(out) <= 100 and value.lower() != NULL.lower():
        return out
    head = ""
    for place, byte in enumerate(data[:20]):
        head += chr(byte) if byte in plain or (byte == ord("_") and place > 0) else f"%{byte:02X}"
    return head + "~" + hashlib.sha256(data).hexdigest()[:32]


def column(value):
    """What a text column holds of a JSON value."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and "\0" not in value else None


def moment(event):
    try:
        return datetime.datetime.fromisoformat(event["created_at"])
    except (ValueError, TypeError):
        return None


def partition(key, event):
    """What a reader gets for the key: text, or None."""
    at = moment(event)
    if key in ("event_date", "event_month", "event_year"):
        if at is None:
            return None
        return at.strftime({"event_date": "%Y-%m-%d", "event_month": "%Y-%m", "event_year": "%Y"}[key])
    text = spelled(key, column(event.get("event_type" if key == "event_type" else "account_id")))
    return None if text == NULL else urllib.parse.unquote(text)


def truth(events, keys):
    return {event["id"]: tuple(partition(key, event) for key in keys) for event in events}


def as_spark(expected):
    """Spark takes each decoded byte for a character."""
    wide = lambda value: value if value is None else value.encode().decode("latin-1")
    return {name: tuple(map(wide, values)) for name, values in expected.items()}


def compare(what, rows, expected):
    """Rows are (id, partition values…); every id once, with these values."""
    counts = collections.Counter(row[0] for row in rows)
    doubled = [name for name, count in counts.items() if count > 1]
    assert not doubled, f"{what}: twice {doubled[:5]}"
    got = {row[0]: tuple(None if value is None else str(value) for value in row[1:]) for row in rows}
    assert got.keys() == expected.keys(), f"{what}: {sorted(set(expected) ^ set(got))[:5]}"
    for name, values in expected.items():
        assert got[name] == values, f"{what}: {name} is {got[name]}, not {values}"


def by_duckdb(folder, form, keys, connection):
    types = {"event_date": "DATE", "event_year": "INTEGER"}
    names = [FOLDERS.get(key, key) for key in keys]
    hive = ", ".join(f"'{name}': {types.get(key, 'VARCHAR')}" for key, name in zip(keys, names))
    hive = f"hive_partitioning = true, hive_types = {{{hive}}}" if keys else "hive_partitioning = false"
    files = f"'{folder}/{form}/**/*.{form}'"
    source = {
        "parquet": f"read_parquet({files}, {hive})",
        "csv": f"read_csv({files}, header = true, all_varchar = true, {hive})",
        "ndjson": f"read_json({files}, format = 'newline_delimited', columns = {{id: 'VARCHAR'}}, {hive})",
    }[form]
    columns = ", ".join(f'"{name}"' for name in ["id", *names])
    return connection.sql(f"SELECT {columns} FROM {source}").fetchall()


def by_pyarrow(folder, form, keys):
    names = [FOLDERS.get(key, key) for key in keys]
    fields = [pa.field(name, pa.string()) for name in names]
    flavor = ds.partitioning(pa.schema(fields), flavor="hive") if keys else None
    own = pa.schema([pa.field("id", pa.string())])
    reader = {
        "parquet": ds.ParquetFileFormat(),
        "csv": ds.CsvFileFormat(
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types={"id": pa.string()}),
        ),
        # Its reader of JSON refuses a member that has two types, as events may: it finds the files and the partitions.
        "ndjson": ds.ParquetFileFormat(),
    }[form]
    schema = pa.schema([*own, *fields])
    found = ds.dataset(f"{folder}/{form}", format=reader, schema=schema, partitioning=flavor)
    if form == "ndjson":
        rows = []
        for fragment in found.get_fragments():
            values = ds.get_partition_keys(fragment.partition_expression)
            for line in pathlib.Path(fragment.path).read_text("utf-8").splitlines():
                rows.append((json.loads(line)["id"], *(values.get(name) for name in names)))
        return rows
    table = found.to_table(columns=["id", *names])
    return list(zip(*(table.column(name).to_pylist() for name in ["id", *names])))


def by_spark(folder, form, keys, spark):
    names = [FOLDERS.get(key, key) for key in keys]
    reader = spark.read.option("recursiveFileLookup", "false")
    path = f"{folder}/{form}"
    if form == "parquet":
        frame = reader.parquet(path)
    elif form == "csv":
        frame = reader.option("header", True).option("multiLine", True).option("escape", '"').csv(path)
    else:
        frame = reader.json(path)
    return [tuple(row) for row in frame.select("id", *(f"`{name}`" for name in names)).collect()]


def values(folder, events, connection):
    """The file's own columns hold the exact value, whatever the folder says."""
    expected = {event["id"]: (column(event["event_type"]), column(event["account_id"])) for event in events}
    rows = connection.sql(
        f"SELECT id, event_type, account_id FROM read_parquet('{folder}/parquet/**/*.parquet', hive_partitioning = false)"
    ).fetchall()
    for name, *found in rows:
        assert tuple(found) == expected[name], (name, found, expected[name])


def main(folder, truths):
    events = [json.loads(line) for line in pathlib.Path(truths).read_text("utf-8").splitlines()]
    folder = pathlib.Path(folder)
    spark = session(cores=2, spark_sql_sources_partitionColumnTypeInference_enabled="false")
    connection = duckdb.connect()
    layouts = sorted(folder.glob("*.json"))
    reads = 0
    for described in layouts:
        keys = json.loads(described.read_text())
        dest = described.with_suffix("")
        expected = truth(events, keys)
        values(dest, events, connection)
        for form in FORMATS:
            what = f"{','.join(keys) or 'none'} {form}"
            compare(f"duckdb {what}", by_duckdb(dest, form, keys, connection), expected)
            compare(f"pyarrow {what}", by_pyarrow(dest, form, keys), expected)
            compare(f"spark {what}", by_spark(dest, form, keys, spark), as_spark(expected))
            reads += 3
    spark.stop()
    print(f"{len(layouts)} layouts read by DuckDB, pyarrow and Spark in {len(FORMATS)} formats: {reads} readings, "
          f"{len(events)} events each, every id once with its partition values")


if __name__ == "__main__":
    main(*sys.argv[1:])
