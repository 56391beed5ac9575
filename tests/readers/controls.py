"""Shows that the checks can fail.

    controls.py SCHEMAS TRUTH.ndjson FOLDER

What lives here: a right export made in Python, which the checks must accept, and one planted defect after another,
each of which they must name. What this file must not know: the program; nothing here runs it.
"""

import datetime
import hashlib
import json
import pathlib
import shutil
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from check import ARROW, check_data, check_log, data_files, load_columns, read_truth, show
from lossless import coerce, member_text, members, parse, rebuild, value_at

SETTINGS = {"compression": "zstd", "write_page_index": True}


def row_of(line, columns, registry):
    """One event's row by the documents alone, with as coarse a remainder as the law allows."""
    event = parse(line)
    row = {column["name"]: None for column in columns}
    for column in columns:
        if column["kind"] == "source":
            row[column["name"]] = coerce(value_at(event, column["pointer"]), column)
    row["context_json"] = member_text(line, "context")
    known = registry.get(row["event_type"], {"category": "unknown", "action": "unknown", "target_type": None})
    row["event_category"], row["event_action"] = known["category"], known["action"]
    row["target_type"] = known["target_type"]
    without = rebuild(row, columns)
    misfits = [
        f"{json.dumps(key)}:{line[start:end]}"
        for key, start, end in members(line)
        if without.get(key) != event[key]
    ]
    row["unmapped_json"] = "{" + ",".join(misfits) + "}" if misfits else None
    return row


def write(path, rows, lock, **settings):
    fields = [
        pa.field(
            column["name"], ARROW[column["arrow"]], metadata={"PARQUET:field_id": str(column["field_id"])}
        )
        for column in lock["columns"]
    ]
    pairs = {f"vonage_audit.schema.{name}": lock[name] for name in ("version", "fingerprint")}
    table = pa.Table.from_pylist(rows, pa.schema(fields, metadata=pairs))
    rewrite(path, table, **settings)


def rewrite(path, table, **settings):
    names = [name for name in ("created_at", "id") if name in table.column_names]
    order = [pq.SortingColumn(table.column_names.index(name)) for name in names]
    pq.write_table(table, path, **{**SETTINGS, "sorting_columns": order, **settings})


def reference(truth, lock, registry, folder):
    """A right export of the truth."""
    days = {}
    for line in truth:
        row = row_of(line, lock["columns"], registry)
        days.setdefault(
            datetime.date(1970, 1, 1) + datetime.timedelta(days=row["created_at"] // 86_400_000_000), []
        ).append(row)
    for day, rows in days.items():
        path = folder / "parquet" / f"event_date={day}" / f"events-{day:%Y%m%d}-s000.parquet"
        path.parent.mkdir(parents=True)
        write(path, sorted(rows, key=lambda row: (row["created_at"], row["id"])), lock)


def log(export):
    """A right log of it: one commit for each file."""
    folder = export / "_audit" / "commits"
    folder.mkdir(parents=True)
    dataset = export / "_audit" / "dataset.json"
    dataset.write_text("{}")
    previous = dataset
    for number, path in enumerate(data_files(export)):
        rows = pq.ParquetFile(path).metadata.num_rows
        record = {"path": path.relative_to(export).as_posix(), "sha256": digest(path), "rows": rows}
        commit = {"number": number, "previous": digest(previous), "windows": [{"files": [record]}]}
        previous = folder / f"{number:016}.json"
        previous.write_text(json.dumps(commit))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def replaced(table, name, change):
    """The table with one column changed by a function of its list of values."""
    position = table.column_names.index(name)
    field = table.schema.field(position)
    return table.set_column(position, field, pa.array(change(table[name].to_pylist()), field.type))


def first(values, test, change):
    """The values with the first that fits changed."""
    at = next(at for at, value in enumerate(values) if test(value))
    return [*values[:at], change(values[at]), *values[at + 1 :]]


def cast(table, name, kind):
    position = table.column_names.index(name)
    return table.set_column(
        position,
        pa.field(name, kind, metadata=table.schema.field(position).metadata),
        pc.cast(table[name], kind),
    )


def reversed_columns(table):
    return table.select(table.column_names[::-1]).replace_schema_metadata(table.schema.metadata)


def is_text(value):
    return isinstance(value, str)


#: Each defect: name, the kind of failure that must name it, what it does to a table, or to a path.
TABLE_DEFECTS = [
    ("a lost row", "missing", lambda table: table.slice(1)),
    ("a doubled row", "distinct", lambda table: pa.concat_tables([table.slice(0, 1), table])),
    ("rows out of order", "sorted", lambda table: table.take(list(range(table.num_rows))[::-1])),
    (
        "white space of a context",
        "context",
        lambda t: replaced(t, "context_json", lambda v: first(v, is_text, lambda x: x + " ")),
    ),
    (
        "a context that is lost",
        "context",
        lambda t: replaced(t, "context_json", lambda v: first(v, is_text, lambda x: None)),
    ),
    (
        "a remainder that is lost",
        "rebuild",
        lambda t: replaced(t, "unmapped_json", lambda v: [None] * len(v)),
    ),
    (
        "a number that was normalised",
        "rebuild",
        lambda t: replaced(
            t,
            "unmapped_json",
            lambda v: first(v, lambda x: x and ":1.0" in x, lambda x: x.replace(":1.0", ":1")),
        ),
    ),
    (
        "null for empty text",
        "value",
        lambda t: replaced(t, "user_email", lambda v: first(v, lambda x: x == "", lambda x: None)),
    ),
    (
        "empty text for null",
        "value",
        lambda t: replaced(t, "user_email", lambda v: first(v, lambda x: x is None, lambda x: "")),
    ),
    (
        "a second too late",
        "value",
        lambda t: cast(
            replaced(cast(t, "created_at", pa.int64()), "created_at", lambda v: [x + 1_000_000 for x in v]),
            "created_at",
            ARROW["timestamp[us, tz=UTC]"],
        ),
    ),
    (
        "a typed column of the context",
        "value",
        lambda t: replaced(t, "context__msisdn", lambda v: first(v, is_text, lambda x: x + "0")),
    ),
    ("a wrong category", "derived", lambda t: replaced(t, "event_category", lambda v: ["number"] * len(v))),
    ("a time without zone", "type", lambda t: cast(t, "created_at", pa.timestamp("us"))),
    ("milliseconds", "type", lambda t: cast(t, "created_at", pa.timestamp("ms", tz="UTC"))),
    ("large text", "type", lambda t: cast(t, "id", pa.large_string())),
    ("a dictionary", "type", lambda t: cast(t, "source", pa.dictionary(pa.int32(), pa.string()))),
    ("another order of columns", "order", reversed_columns),
    ("a missing column", "order", lambda t: t.drop_columns(["context__http"])),
    (
        "other field ids",
        "field id",
        lambda t: t.cast(
            pa.schema([field.remove_metadata() for field in t.schema], metadata=t.schema.metadata)
        ),
    ),
    ("no schema version", "metadata", lambda t: t.replace_schema_metadata(None)),
]
SETTINGS_DEFECTS = [
    ("no sorting columns", "sorting", {"sorting_columns": None}),
    ("another compression", "compression", {"compression": "snappy"}),
    ("no page index", "page index", {"write_page_index": False}),
]
PATH_DEFECTS = [
    (
        "a wrong partition",
        "partition",
        lambda path: move(path, "event_date=2001-01-01", "events-20010101-s000.parquet"),
    ),
    ("an unfinished name", "name", lambda path: shutil.copy(path, path.with_name(f".{path.name}"))),
    ("a foreign file", "name", lambda path: path.with_name("notes.txt").write_text("x")),
    ("a lost file", "count", lambda path: path.unlink()),
    (
        "a doubled file",
        "distinct",
        lambda path: shutil.copy(path, path.with_name(path.name.replace("s000", "s001"))),
    ),
]


LOG_DEFECTS = [
    ("another byte", lambda export: flip(richest(export))),
    (
        "a file that the log does not name",
        lambda export: shutil.copy(richest(export), richest(export).with_name("events-x.parquet")),
    ),
    ("a lost file", lambda export: richest(export).unlink()),
    ("a lost first commit", lambda export: (export / "_audit" / "commits" / f"{0:016}.json").unlink()),
    ("another first commit", lambda export: flip(export / "_audit" / "commits" / f"{0:016}.json", b" ")),
    ("another dataset", lambda export: flip(export / "_audit" / "dataset.json", b" ")),
]


def flip(path, more=b""):
    """Another file in every digest: one byte changed in the middle, or bytes added."""
    own = bytearray(path.read_bytes())
    if not more:
        own[len(own) // 4] ^= 1
    path.write_bytes(bytes(own) + more)


def move(path, folder, name):
    target = path.parent.parent / folder
    target.mkdir()
    path.rename(target / name)


def richest(export):
    """The file with most rows: it holds every kind of value."""
    return max(data_files(export), key=lambda path: pq.ParquetFile(path).metadata.num_rows)


def main(schemas, truth, folder):
    schemas, folder = pathlib.Path(schemas), pathlib.Path(folder)
    lock = load_columns(schemas)
    registry = {
        entry["type"]: entry for entry in json.loads((schemas / "registry.json").read_text("utf-8"))["types"]
    }
    # Two days hold all, and the first nearly all: then each defect has something to be planted in.
    truth = [
        f'{{"id":{member_text(line, "id")},"created_at":"2024-02-0{2 + (number % 7 == 0)}T02:02:{number % 60:02}"{rest(line)}'
        for number, line in enumerate(read_truth(truth))
    ]
    shutil.rmtree(folder, ignore_errors=True)
    right = folder / "right"
    reference(truth, lock, registry, right)
    log(right)
    if not show(check_data(right, truth, schemas) + check_log(right)):
        raise SystemExit("the checks refuse a right export")
    table_of = lambda path: pq.ParquetFile(path).read()
    defects = [
        (name, kind, lambda path, change=change: rewrite(path, change(table_of(path))))
        for name, kind, change in TABLE_DEFECTS
    ]
    defects += [
        (name, kind, lambda path, own=own: rewrite(path, table_of(path), **own))
        for name, kind, own in SETTINGS_DEFECTS
    ]
    defects += PATH_DEFECTS
    for name, kind, plant in defects:
        wrong = folder / "wrong"
        shutil.rmtree(wrong, ignore_errors=True)
        shutil.copytree(right, wrong)
        plant(richest(wrong))
        try:
            kinds = {kind for kind, _ in check_data(wrong, truth, schemas)}
        except Exception as error:  # A reader that refuses the file has found the defect too.
            kinds = {kind, type(error).__name__} if kind in ("type", "order") else set()
        if kind not in kinds:
            raise SystemExit(f"planted and not found: {name} (expected {kind}, found {sorted(kinds)})")
    for name, plant in LOG_DEFECTS:
        wrong = folder / "wrong"
        shutil.rmtree(wrong)
        shutil.copytree(right, wrong)
        plant(wrong)
        if not check_log(wrong):
            raise SystemExit(f"planted and not found in the log: {name}")
    print(f"{len(defects) + len(LOG_DEFECTS)} planted defects found")


def rest(line):
    members_of = [
        (key, line[start:end]) for key, start, end in members(line) if key not in ("id", "created_at")
    ]
    return "".join(f",{json.dumps(key)}:{text}" for key, text in members_of) + "}"


if __name__ == "__main__":
    main(*sys.argv[1:])
