"""Opens a conversion in all formats with readers that are not ours and holds it against its input.

    formats.py EXPORT INPUT.ndjson SCHEMAS

What lives here: which lines of the input must be rows, decided afresh from their bytes; then every row of every format,
read by DuckDB, pyarrow and Python's csv module, against the event by the rebuild law; and the lines in quarantine, byte
for byte. Each reader is also run with a planted defect, which must be found. What this file must not know: how the
program works.
"""

import base64
import csv
import datetime
import json
import pathlib
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from check import load_columns
from lossless import LONE_SURROGATE, MISSING, Object, coerce, micros, parse, rebuild, value_at

MAX_DEPTH = 64
MAX_ID = 256
GUARDED = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'")
LAST_DAY = datetime.date(9999, 12, 31)
SHOWN = 5


def depth(text):
    """Nesting, without recursion; sees brackets outside strings only."""
    level = deepest = 0
    quoted = escaped = False
    for letter in text:
        if quoted:
            quoted = escaped or letter != '"'
            escaped = not escaped and letter == "\\"
        elif letter == '"':
            quoted = True
        elif letter in "[{":
            level += 1
            deepest = max(deepest, level)
        elif letter in "]}":
            level -= 1
    return deepest


def event_of(raw):
    """The event of a line if it must be a row, else None."""
    try:
        text = raw.decode("utf-8")
        if depth(text) > MAX_DEPTH:
            return None
        event = parse(text.strip(" \t\r"))
    except ValueError:
        return None
    if not isinstance(event, Object) or len(event.get("id", [])) != 1 or len(event.get("created_at", [])) > 1:
        return None
    identity, at = event.last("id"), event.get("created_at", [None])[-1]
    usable = isinstance(identity, str) and identity and len(identity.encode("utf-8", "replace")) <= MAX_ID
    if not usable or "\0" in identity or LONE_SURROGATE.search(identity):
        return None
    # A time that cannot be read makes a row without one; one that no day of the calendar has makes none.
    at = micros(at) if isinstance(at, str) else None
    return event if at is None or at // 86_400_000_000 < (LAST_DAY - datetime.date(1970, 1, 1)).days else None


def split(path):
    """The input as events by id, and lines that are none."""
    data = pathlib.Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf")
    events, flawed = {}, []
    for raw in data.split(b"\n"):
        raw = raw.removesuffix(b"\r")
        if not raw.strip(b" \t\r"):
            continue
        event = event_of(raw)
        if event is None:
            flawed.append(raw.strip(b" \t\r"))
        else:
            assert event.last("id") not in events, "an id occurs twice"
            events[event.last("id")] = event
    return events, flawed


def files(export, kind):
    found = sorted((pathlib.Path(export) / kind).rglob(f"*.{kind}"))
    assert found, f"no file of {kind}"
    return found


def parquet_by_pyarrow(export, columns):
    for path in files(export, "parquet"):
        table = pq.ParquetFile(path).read()
        lists = [
            column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(column.type) else column.to_pylist()
            for column in table.columns
        ]
        yield from (dict(zip(table.column_names, values)) for values in zip(*lists))


def by_duckdb(source, columns):
    engine = duckdb.connect()
    engine.execute("SET autoinstall_known_extensions = false")
    engine.execute("SET TimeZone = 'Europe/London'")
    names = [column["name"] for column in columns]
    chosen = ", ".join("epoch_us(created_at)" if name == "created_at" else f'"{name}"' for name in names)
    for values in engine.execute(f"SELECT {chosen} FROM {source}").fetchall():
        yield dict(zip(names, values))


def parquet_by_duckdb(export, columns):
    yield from by_duckdb(f"read_parquet('{export}/parquet/**/*.parquet')", columns)


def csv_by_duckdb(export, columns, quoted_nulls="false"):
    kinds = {"utf8": "VARCHAR", "timestamp[us, tz=UTC]": "TIMESTAMPTZ"}
    kinds = ", ".join(f"'{column['name']}': '{kinds[column['arrow']]}'" for column in columns)
    source = (
        f"read_csv('{export}/csv/**/*.csv', auto_detect = false, header = true, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = '\\r\\n', allow_quoted_nulls = {quoted_nulls}, nullstr = '', "
        f"hive_partitioning = false, max_line_size = 8000000, parallel = false, columns = {{{kinds}}})"
    )
    for row in by_duckdb(source, columns):
        yield {name: unguarded(value) for name, value in row.items()}


def csv_by_python(export, columns):
    """The csv module does not tell nothing from the empty text; the caller compares without the difference."""
    csv.field_size_limit(1 << 30)
    for path in files(export, "csv"):
        data = path.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf") and data.endswith(b"\r\n"), path
        with open(path, encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, strict=True):
                assert None not in row and None not in row.values(), path
                assert list(row) == [column["name"] for column in columns], path
                for column in columns:
                    value = row[column["name"]]
                    assert column["arrow"] != "utf8" or not value.startswith(GUARDED[:-1]), value
                    row[column["name"]] = unguarded(value)
                at = row["created_at"]
                assert at.endswith("Z") or not at, at
                row["created_at"] = micros(at) if at else None
                yield row


def unguarded(value):
    return value[1:] if isinstance(value, str) and value.startswith("'") else value


def ndjson_by_python(export):
    for path in files(export, "ndjson"):
        data = path.read_bytes()
        assert data.endswith(b"\n") and b"\r" not in data, path
        for line in data.decode("utf-8").split("\n")[:-1]:
            yield line, parse(line)


def faults_of_rows(rows, events, columns, empty_is_null=False):
    """What is wrong with rows, one sentence each."""
    found, seen = [], set()
    for row in rows:
        name = row["id"]
        if name in seen or name not in events:
            found.append(f"{name!r:.60}: twice, or not in the input")
            continue
        seen.add(name)
        event = events[name]
        for column in columns:
            if column["kind"] == "source":
                own, value = coerce(value_at(event, column["pointer"]), column), row[column["name"]]
                if empty_is_null:
                    own, value = own or "", value or ""
                if own != value:
                    found.append(f"{name!r:.60}: {column['name']} is {value!r:.80}, not {own!r:.80}")
        if not empty_is_null:
            try:
                right = rebuild(row, columns) == event
            except ValueError as error:
                right, name = False, f"{name} ({error})"
            if not right:
                found.append(f"{name!r:.60}: the row does not give its event")
    found += [f"{name!r:.60}: has no row" for name in events.keys() - seen]
    return found


def faults_of_lines(lines, events):
    found, seen = [], set()
    for text, event in lines:
        name = event.last("id")
        if name in seen or events.get(name) != event:
            found.append(f"{name!r:.60}: twice, or another event")
        seen.add(name)
    return found + [f"{name!r:.60}: has no line" for name in events.keys() - seen]


def quarantined(export):
    for path in sorted((pathlib.Path(export) / "_audit" / "quarantine").glob("*.ndjson")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            kept = json.loads(line)
            yield base64.b64decode(kept["base64"]) if "base64" in kept else kept["text"].encode("utf-8")


def without(rows, name):
    return ({**row, name: None} for row in rows)


def careless(lines):
    """What Python's own json makes of the lines: floats, last keys."""
    for text, _ in lines:
        text = json.dumps(json.loads(text))
        yield text, parse(text) if "Infinity" not in text else Object(id=[json.loads(text)["id"]])


def main(export, truth, schemas):
    columns = load_columns(schemas)["columns"]
    events, flawed = split(truth)
    assert len(events) > 40 and len(flawed) > 15, "the input is not the hostile one"
    checks = {
        "Parquet by pyarrow": faults_of_rows(parquet_by_pyarrow(export, columns), events, columns),
        "Parquet by DuckDB": faults_of_rows(parquet_by_duckdb(export, columns), events, columns),
        "CSV by DuckDB": faults_of_rows(csv_by_duckdb(export, columns), events, columns),
        "CSV by Python": faults_of_rows(csv_by_python(export, columns), events, columns, empty_is_null=True),
        "NDJSON by Python": faults_of_lines(ndjson_by_python(export), events),
        "quarantine": [
            f"{raw!r:.80}" for raw in set(flawed) ^ set(quarantined(export))
        ],
    }
    bad = {name: faults for name, faults in checks.items() if faults}
    for name, faults in bad.items():
        print(f"{name}: {len(faults)} faults", *faults[:SHOWN], sep="\n  ")
    planted = {
        "a remainder that is lost": faults_of_rows(
            without(parquet_by_pyarrow(export, columns), "unmapped_json"), events, columns
        ),
        "a context that is lost": faults_of_rows(
            without(csv_by_duckdb(export, columns), "context_json"), events, columns
        ),
        "null for empty text": faults_of_rows(csv_by_duckdb(export, columns, "true"), events, columns),
        "floats for numbers": faults_of_lines(careless(ndjson_by_python(export)), events),
    }
    missed = [name for name, faults in planted.items() if not faults]
    print(*(f"planted defect not found: {name}" for name in missed), sep="\n")
    print(f"{len(events)} events in three formats, {len(flawed)} lines in quarantine")
    sys.exit(bool(bad or missed))


if __name__ == "__main__":
    main(*sys.argv[1:])
