"""Reads the CSV and NDJSON files of an export with every reader that people use; what `matrix.py` is for Parquet.

    texts.py EXPORT TRUTH.ndjson SCHEMAS FORMAT

What lives here: for each reader and format the call as the document shows it, which is run as it stands; what comes back,
by kind of value, held against the events; and the same files compressed. A reader that cannot tell two things apart gets
a cell that says so, and the document must say the same. What this file must not know: how the program works.
"""

import importlib
import json
import pathlib
import shutil
import sys
import tempfile
import textwrap

import pyarrow as pa

from check import load_columns, read_truth
from local_spark import session
from lossless import LONE_SURROGATE, member_text, micros, parse
from matrix import KINDS, truth_rows

#: What a call may use: `files`, the paths, or `tree`, a pattern for them; `names`, the columns, and `texts`, those of text.
CALLS = {
    "csv": {
        "DuckDB": """
            columns = ", ".join(f"'{name}': '{'TIMESTAMPTZ' if name == 'created_at' else 'VARCHAR'}'" for name in names)
            rows = duckdb.sql(f'''FROM read_csv($files, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
              nullstr = '', allow_quoted_nulls = false, max_line_size = 8000000, parallel = false, columns = {{{columns}}})''',
              params={"files": files})
        """,
        "pyarrow": """
            rows = pyarrow.concat_tables(pyarrow.csv.read_csv(file,
              parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
              read_options=pyarrow.csv.ReadOptions(block_size=8_000_000),
              convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(texts, pyarrow.string()) | {"created_at": pyarrow.timestamp("us", "UTC")},
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False)) for file in files)
        """,
        "Polars": """
            rows = polars.read_csv(files, infer_schema=False)
        """,
        "pandas": """
            rows = pandas.concat(pandas.read_csv(file, dtype=str, keep_default_na=False, na_values=[""]) for file in files)
        """,
        "Spark": """
            schema = ", ".join(f"{name} {'TIMESTAMP' if name == 'created_at' else 'STRING'}" for name in names)
            rows = (spark.read.schema(schema).option("header", True).option("multiLine", True).option("escape", '"')
              .option("nullValue", "=").option("mode", "FAILFAST").csv(files))
        """,
        "ClickHouse": """
            rows = f'''SELECT * FROM file('{tree}', CSVWithNames, '{", ".join(f"{name} Nullable(String)" for name in names)}')
              SETTINGS input_format_csv_empty_as_default = 1, format_csv_null_representation = '',
              input_format_csv_trim_whitespaces = 0 '''
        """,
    },
    "ndjson": {
        "DuckDB": """
            columns = ", ".join(f"{name}: 'VARCHAR'" for name in texts) + ", context: 'JSON'"
            rows = duckdb.sql(f'''FROM read_json($files, format = 'newline_delimited', columns = {{{columns}}},
              maximum_object_size = 100000000)''', params={"files": files})
        """,
        "pyarrow": """
            schema = pyarrow.schema([(name, pyarrow.int64() if name == "user_id" else pyarrow.string()) for name in texts])
            rows = pyarrow.concat_tables(pyarrow.json.read_json(file,
              read_options=pyarrow.json.ReadOptions(block_size=100_000_000),
              parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")) for file in files)
        """,
        "Polars": """
            rows = polars.concat(polars.read_ndjson(file, schema=dict.fromkeys([*texts, "context"], polars.String)) for file in files)
        """,
        "pandas": """
            rows = pandas.concat((pandas.read_json(file, lines=True, dtype=False, convert_dates=False) for file in files), sort=False)
        """,
        "Spark": """
            schema = ", ".join(f"{name} STRING" for name in [*texts, "context"])
            rows = spark.read.schema(schema).option("mode", "FAILFAST").json(files)
        """,
        "ClickHouse": """
            columns = ", ".join(f"{name} Nullable(String)" for name in [*texts, "context"])
            rows = f'''SELECT * FROM file('{tree}', JSONEachRow, '{columns}') SETTINGS
              input_format_skip_unknown_fields = 1, input_format_column_name_matching_mode = 'match_case',
              input_format_json_throw_on_bad_escape_sequence = 0'''
        """,
    },
}


#: Members of an event that are texts; `user_id` is published as a number.
MEMBERS = (
    "id event_type event_type_description created_at user_email user_id account_id source source_ip source_description "
    "source_country"
).split()

PLAIN = (
    '{"id":"%s","event_type":"USER_LOGIN","event_type_description":"","created_at":"2024-01-01T00:00:00",'
    '"user_email":null,"user_id":7,"account_id":%s,"context":%s}'
)

#: What an event may hold and a reader may refuse or change: (account_id, context), and where to look.
RARE = {
    "a text of 300 kB": (json.dumps("x" * 300_000), "{}", "account_id"),
    "U+0000 in a text": (r'"a\u0000b"', "{}", "account_id"),
    "lone surrogate in a text": (r'"a\ud800b"', "{}", "account_id"),
    "a number for a text": ("12", "{}", "account_id"),
    "a member twice": ('"1","account_id":"2"', "{}", "account_id"),
    "context: lone surrogate": ("null", r'{"a":"\ud800"}', "context"),
    "context: 1e400": ("null", '{"a":1e400}', "context"),
    "context: 30 digits": ("null", '{"a":123456789012345678901234567890}', "context"),
    "context: 1.10": ("null", '{"a":1.10}', "context"),
    "context: a name twice": ("null", '{"a":1,"a":2}', "context"),
}


def rows_by(name, call, given):
    """Runs a call and gives its rows as a list of dictionaries."""
    space = dict(given)
    if name == "Spark":
        space["spark"] = spark()
    elif name != "ClickHouse":
        space[name.lower()] = importlib.import_module(name.lower())
    if name == "pyarrow":
        importlib.import_module("pyarrow.csv")
        importlib.import_module("pyarrow.json")
    elif name == "DuckDB":
        space["duckdb"].execute("SET TimeZone = 'UTC'")
    exec(textwrap.dedent(call), space)
    rows = space["rows"]
    if name == "DuckDB":
        columns = rows.columns
        chosen = ", ".join(
            "strftime(created_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS created_at" if dtype == "TIMESTAMP WITH TIME ZONE" else f'"{column}"'
            for column, dtype in zip(columns, map(str, rows.types))
        )
        return [dict(zip(columns, row)) for row in rows.project(chosen).fetchall()]
    if name == "pyarrow":
        return [{key: instant(value) for key, value in row.items()} for row in rows.to_pylist()]
    if name == "Polars":
        return rows.to_dicts()
    if name == "pandas":
        rows = rows.astype(object).where(rows.notna(), None)
        return [dict(zip(rows.columns, row)) for row in rows.itertuples(index=False)]
    if name == "Spark":
        chosen = [
            "date_format(created_at, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\") AS created_at" if kind == "timestamp" else column
            for column, kind in rows.dtypes
        ]
        return [row.asDict() for row in rows.selectExpr(*chosen).collect()]
    import chdb

    text = chdb.query(rows, "JSONEachRow").bytes().decode("utf-8", "replace")
    return [json.loads(line) for line in text.split("\n") if line]


def instant(value):
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if hasattr(value, "strftime") else value


def spark():
    return session(log_level="OFF")


def truth_of(format, export, lines, columns):
    """Id → what each column or member must be, times as microseconds, a context as its text."""
    if format == "csv":
        return truth_rows(export, lines, columns)
    events = {}
    for line in lines:
        event = parse(line)
        row = {name: event.last(name) if name in event else None for name in MEMBERS}
        row["user_id"] = None if row["user_id"] is None else row["user_id"].text
        row["context"] = member_text(line, "context")
        events[row["id"]] = row
    return events


def ordinary(line):
    """Whether every JSON reader takes the line; what some refuse is asked one by one."""
    def texts(value):
        if isinstance(value, dict):
            return all(map(texts, value.keys())) and all(map(texts, value.values()))
        if isinstance(value, list):
            return all(map(texts, value))
        if isinstance(value, str):
            return not LONE_SURROGATE.search(value)
        return isinstance(value, bool) or value is None or abs(value) < 1 << 63

    event = json.loads(line)
    if any(len(values) > 1 for values in parse(line).values()):
        return False
    kinds = [event.get(name) is None or isinstance(event[name], int if name == "user_id" else str) for name in MEMBERS]
    user = event.get("user_id")
    return all(kinds) and texts(event) and (user is None or user is not True and user > 0)


def normal(format, row):
    """A row as the truth says it."""
    row = dict(row)
    if format == "csv":
        row = {name: value[1:] if isinstance(value, str) and value.startswith("'") else value for name, value in row.items()}
        row["created_at"] = None if row["created_at"] is None else micros(row["created_at"])
    elif isinstance(row.get("user_id"), int):
        row["user_id"] = str(row["user_id"])
    return row


def seen_as(values):
    """What came instead of the right values."""
    names = {type(None): "null", str: "another text"}
    kinds = {"empty text" if value == "" else names.get(type(value), type(value).__name__) for value in values}
    return "as " + ", ".join(sorted(kinds))


def judge(format, truth, rows, names):
    by_id = {row["id"]: normal(format, row) for row in rows}
    cells = {"rows": "exact" if len(rows) == len(truth) and by_id.keys() == truth.keys() else "WRONG"}
    told = set()
    for kind, holds in KINDS.items():
        wanted = [(one, name) for one, row in truth.items() for name in names if holds(row[name])]
        if kind in ("times", "long text") and format == "ndjson":
            continue
        assert wanted, f"no event has a value of this kind: {kind}"
        wrong = [(one, name) for one, name in wanted if by_id.get(one, {}).get(name, LONE_SURROGATE) != truth[one][name]]
        told.update(wrong)
        cells[kind] = seen_as(by_id.get(one, {}).get(name) for one, name in wrong) if wrong else "exact"
    rest = [
        by_id.get(one, {}).get(name)
        for one, row in truth.items()
        for name in names
        if (one, name) not in told and by_id.get(one, {}).get(name) != row[name]
    ]
    cells["all other values"] = seen_as(rest) if rest else "exact"
    if format == "ndjson":
        # A context that is no object cannot come from a text column as JSON text.
        contexts = [
            (row.get("context"), truth[one]["context"])
            for one, row in by_id.items()
            if one in truth and (truth[one]["context"] or "").startswith("{")
        ]
        cells["context"] = context_of(contexts, any("context" in row for row in rows))
    return cells


def context_of(pairs, given):
    if not given:
        return "not asked for"
    if all(isinstance(own, str) for own, _ in pairs):
        if all(own == right for own, right in pairs):
            return "its text, exact"
        try:
            same = all(json.loads(own) == json.loads(right) for own, right in pairs)
        except ValueError:
            return "text that is no JSON"
        return "its text, rewritten" if same else "its text, changed"
    return "Python values"


def rare(name, call, folder):
    """One file for each rare thing, with an ordinary line before it."""
    cells = {}
    for what, (account, context, member) in RARE.items():
        file = folder / "rare.ndjson"
        file.write_text(PLAIN % ("a", '"1"', "{}") + "\n" + PLAIN % ("b", account, context) + "\n", "utf-8")
        given = {"files": [str(file)], "names": MEMBERS, "texts": MEMBERS, "tree": str(file)}
        try:
            rows = {row["id"]: row for row in rows_by(name, call, given)}
        except Exception:
            cells[what] = "file refused"
            continue
        assert len(rows) == 2 and rows["a"]["account_id"] == "1", rows
        own, right = rows["b"].get(member), account.rpartition(":")[2] if member == "account_id" else context
        expected = json.loads(right) if member == "account_id" and right.startswith('"') else right
        if member not in rows["b"]:
            cells[what] = "read"
        elif own == expected:
            cells[what] = "exact"
        else:
            cells[what] = "`" + ascii(own).replace("|", "\\|") + "`"
    return cells


def compressed(format, files, root, folder):
    """The same files in another folder, as the program names them."""
    for path in map(pathlib.Path, files):
        target = folder / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        for codec, end in (("gzip", "gz"), ("zstd", "zst")):
            with pa.CompressedOutputStream(f"{target}.{end}", codec) as out:
                out.write(path.read_bytes())


def by_id(rows):
    return sorted(rows, key=lambda row: row["id"])


def main(export, truth, schemas, format):
    columns = load_columns(schemas)["columns"]
    lines = read_truth(truth)
    scratch = pathlib.Path(tempfile.mkdtemp())
    root = pathlib.Path(export) / format
    if format == "ndjson":
        given = {parse(line).last("id"): parse(line) for line in lines if ordinary(line)}
        lines = []
        for path in sorted(root.rglob("*.ndjson")):
            kept = [line for line in path.read_text("utf-8").split("\n") if line and ordinary(line)]
            target = scratch / "ordinary" / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            # The same events; white space between their members is not kept.
            assert all(given.get(parse(line).last("id")) == parse(line) for line in kept), path
            lines += kept
            if kept:
                target.write_text("\n".join(kept) + "\n", "utf-8")
        assert len(lines) == len(given)
        root = scratch / "ordinary"
    names = [column["name"] for column in columns] if format == "csv" else MEMBERS
    texts = [name for name in names if format == "ndjson" or name != "created_at"]
    right = truth_of(format, export, lines, columns)
    assert len(right) > 900, len(right)
    files = sorted(map(str, root.rglob(f"*.{format}")))
    compressed(format, files, root, scratch / "compressed")
    seen = {}
    for name, call in CALLS[format].items():
        given = {"files": files, "names": names, "texts": texts, "tree": f"{root}/**/*.{format}"}
        rows = rows_by(name, call, given)
        cells = judge(format, right, rows, names)
        # The comparison finds a value that is lost, a row that is doubled, and one that is missing.
        spoilt = [row | {"account_id": "x"} if row["id"] == rows[0]["id"] else row for row in rows]
        for planted in (spoilt, rows + rows[:1], rows[1:]):
            assert judge(format, right, planted, names) != cells, f"{name}: the comparison is blind"
        if format == "ndjson":
            cells |= rare(name, call, scratch)
        for end, what in (("gz", "gzip"), ("zst", "zstd")):
            packed = sorted(map(str, (scratch / "compressed").rglob(f"*.{format}.{end}")))
            assert len(packed) == len(files)
            tree = f"{scratch}/compressed/**/*.{format}.{end}"
            try:
                same = by_id(rows_by(name, call, given | {"files": packed, "tree": tree})) == by_id(rows)
                cells[f".{format}.{end}"] = "the same" if same else "WRONG"
            except Exception:
                cells[f".{format}.{end}"] = "refused"
        seen[name] = cells
    shutil.rmtree(scratch)
    print("| | " + " | ".join(seen) + " |")
    print("|---|" + "---|" * len(seen))
    for line in next(iter(seen.values())):
        print(f"| {line} | " + " | ".join(cells[line] for cells in seen.values()) + " |")
    for name, call in CALLS[format].items():
        print(f"\n{name}:\n\n```python\n{textwrap.dedent(call).strip()}\n```")
    return not any("WRONG" in cell for cells in seen.values() for cell in cells.values())


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
