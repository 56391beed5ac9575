"""Reads exports of every layout with readers that are not ours and holds them against the events.

    layouts.py TRUTH.ndjson KEY EXPORT...

What lives here: DuckDB and pyarrow over each codec, shape and encryption; CSV over its CSVW description. All columns of all
rows must be the same whichever file they are read from. What this file must not know: how the program works.
"""

import base64
import datetime
import gzip
import json
import pathlib
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from lossless import parse

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def unpacked(path):
    """A file's text, by libraries of other people."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data).decode("utf-8")
    if path.suffix == ".zst":
        return pa.input_stream(pa.BufferReader(data), compression="zstd").read().decode("utf-8")
    return data.decode("utf-8")


def plain(value):
    """Times as microseconds."""
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    return value


def parquet_rows(export, key):
    rows = []
    for path in sorted((export / "parquet").rglob("*.parquet")):
        encrypted = path.read_bytes()[-4:] == b"PARE"
        properties = pe.create_decryption_properties(footer_key=key) if encrypted else None
        table = pq.ParquetFile(path, decryption_properties=properties).read()
        rows += [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]
        if encrypted:
            for wrong in (None, pe.create_decryption_properties(footer_key=b"\0" * len(key))):
                try:
                    pq.ParquetFile(path, decryption_properties=wrong).read()
                except (OSError, ValueError):
                    continue
                raise AssertionError(f"{path} opens without its key")
    return rows


def source(export, format, key, names):
    """The files as DuckDB reads them, and how."""
    kind = {"parquet": "parquet", "csv": "csv", "ndjson": "json"}[format]
    pattern = str(export / format / "**" / f"*.{format}*").replace("'", "''")
    options = "hive_partitioning = false"
    text = {name: "VARCHAR" for name in names} | {"created_at": "TIMESTAMP WITH TIME ZONE"}
    typed = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in text.items()) + "}"
    if format == "parquet":
        first = next(iter(sorted((export / "parquet").rglob("*.parquet"))))
        if first.read_bytes()[-4:] == b"PARE":
            options += ", encryption_config = {footer_key: 'audit'}"
    elif format == "csv":
        options += f", header = true, nullstr = '', allow_quoted_nulls = false, columns = {typed}, max_line_size = 4000000"
    else:
        options += f", format = 'newline_delimited', columns = {typed}, maximum_object_size = 16777216"
    return f"read_{kind}('{pattern}', {options})"


def duckdb_rows(export, format, key, names):
    engine = duckdb.connect()
    engine.execute("SET autoinstall_known_extensions = false; SET TimeZone = 'UTC'")
    # Base64 of 32 bytes: that of 16 has the length of a key itself, and DuckDB takes it for one.
    engine.execute(f"PRAGMA add_parquet_key('audit', '{base64.b64encode(key).decode()}')")
    chosen = ", ".join("epoch_us(created_at)" if name == "created_at" else f'"{name}"' for name in names)
    rows = engine.execute(f"SELECT {chosen} FROM {source(export, format, key, names)}").fetchall()
    return [dict(zip(names, row)) for row in rows]


def inferred_type(export):
    """What DuckDB takes `created_at` of flat lines for when it is told nothing."""
    pattern = str(export / "ndjson" / "**" / "*.ndjson*").replace("'", "''")
    engine = duckdb.connect()
    rows = engine.execute(f"DESCRIBE SELECT created_at FROM read_json('{pattern}', maximum_object_size = 16777216)")
    return rows.fetchall()[0][1]


def by_id(rows):
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows), "a row twice"
    return found


def unguarded(rows, guarded):
    if guarded:
        for row in rows:
            for name, value in row.items():
                if isinstance(value, str) and value.startswith("'"):
                    row[name] = value[1:]
    return rows


def differences(rows, truth):
    found = by_id(rows)
    assert found.keys() == truth.keys(), (len(found), len(truth))
    return [(one, name, found[one][name], row[name]) for one, row in truth.items() for name in row if found[one][name] != row[name]]


def check(export, truth, events, key):
    dataset = json.loads((export / "_audit/dataset.json").read_text())
    files = dataset["files"]
    names = list(next(iter(truth.values())))
    for rows in (parquet_rows(export, key), duckdb_rows(export, "parquet", key, names)):
        assert not differences(rows, truth), differences(rows, truth)[:3]
    rows = unguarded(duckdb_rows(export, "csv", key, names), files["csv"]["formulas"] == "guarded")
    assert not differences(rows, truth), differences(rows, truth)[:3]
    lines = [line for path in sorted((export / "ndjson").rglob("events-*")) for line in unpacked(path).splitlines(True)]
    # splitlines also cuts at separators that JSON allows in a text.
    lines = [line for line in "".join(lines).split("\n") if line]
    if files["ndjson"]["shape"] == "events":
        assert len(lines) == len(events)
        ids = {parse(line).last("id") for line in lines}
        assert ids == truth.keys()
        return
    rows = []
    for line in lines:
        row = json.loads(line)
        assert list(row) == names, row
        if row["created_at"] is not None:
            row["created_at"] = plain(datetime.datetime.fromisoformat(row["created_at"]))
        rows.append(row)
    assert not differences(rows, truth), differences(rows, truth)[:3]
    rows = duckdb_rows(export, "ndjson", key, names)
    assert not differences(rows, truth), differences(rows, truth)[:3]
    assert inferred_type(export).startswith("TIMESTAMP"), inferred_type(export)


def main(truth_path, key_path, exports):
    key = pathlib.Path(key_path).read_bytes()
    events = [line for line in pathlib.Path(truth_path).read_text("utf-8").split("\n") if line]
    exports = [pathlib.Path(export) for export in exports]
    # Held against the events themselves by check.py; here every layout must say the same as the plain one.
    truth = by_id(parquet_rows(exports[0], key))
    assert len(truth) == len(events)
    for export in exports:
        try:
            check(export, truth, events, key)
        except BaseException:
            print(f"in {export}", file=sys.stderr)
            raise
    print(f"{len(exports)} layouts of {len(truth)} rows, {len(next(iter(truth.values())))} columns: alike in DuckDB and pyarrow")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
