"""Reads an export with every reader that people use and prints what each makes of it, as a table.

    matrix.py EXPORT TRUTH.ndjson SCHEMAS FORMAT

What lives here: one function a reader and format, each giving the types it sees and the rows it reads; and the
comparison with the events themselves. A cell that is not `exact` makes it fail. What this file must not know: how the
program works; the truth is the events and the documents under schemas/.
"""

import pathlib
import re
import sys

import pyarrow.parquet as pq

from check import load_columns, pyarrow_rows, read_truth
from local_spark import session
from lossless import coerce, member_text, parse, value_at

#: What a careless reader or writer gets wrong, by the value that the event has. Each must occur.
KINDS = {
    "null": lambda value: value is None,
    "empty text": lambda value: value == "",
    "non-ASCII": lambda value: isinstance(value, str) and not value.isascii(),
    "quotes, line ends": lambda value: isinstance(value, str) and re.search(r'["\\\n\t]', value),
    "leading zeros": lambda value: isinstance(value, str) and re.fullmatch(r"0\d+", value),
    "formulas": lambda value: isinstance(value, str) and value.startswith("="),
    "long text": lambda value: isinstance(value, str) and len(value) > 100_000,
    "times": lambda value: isinstance(value, int),
}


def tree(export, format):
    return str(pathlib.Path(export) / format)


def glob(export, format):
    return str(pathlib.Path(export) / format / "**" / f"*.{format}")


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def rows_of(table):
    """The rows of an Arrow table, times as microseconds."""
    import pyarrow as pa

    data = {}
    for name, column in zip(table.column_names, table.columns):
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", tz="UTC"), safe=True).cast(pa.int64())
        data[name] = column.to_pylist()
    return [dict(zip(data, values)) for values in zip(*data.values())]


def duckdb_parquet(export, names):
    import duckdb

    engine = duckdb.connect()
    engine.execute("SET autoinstall_known_extensions = false")
    source = "read_parquet('" + glob(export, "parquet").replace("'", "''") + "', hive_partitioning = true)"
    types = {row[0]: row[1] for row in engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    chosen = ", ".join("epoch_us(created_at)" if name == "created_at" else name for name in names)
    rows = engine.execute(f"SELECT {chosen} FROM {source}").fetchall()
    return "DuckDB", duckdb.__version__, types, [dict(zip(names, row)) for row in rows]


def pyarrow_parquet(export, names):
    import pyarrow
    import pyarrow.dataset as ds

    dataset = ds.dataset(tree(export, "parquet"), format="parquet", partitioning="hive")
    types = {field.name: str(field.type) for field in dataset.schema}
    return "pyarrow", pyarrow.__version__, types, rows_of(dataset.to_table(columns=names))


def polars_parquet(export, names):
    import polars

    frame = polars.scan_parquet(glob(export, "parquet"), hive_partitioning=True).collect()
    types = {name: str(kind) for name, kind in frame.schema.items()}
    chosen = frame.select(names).with_columns(polars.col("created_at").dt.epoch("us"))
    return "Polars", polars.__version__, types, chosen.to_dicts()


def pandas_parquet(export, names):
    import pandas

    frame = pandas.read_parquet(tree(export, "parquet"))
    types = {name: str(kind) for name, kind in frame.dtypes.items()}
    data = {}
    for name in names:
        column = frame[name]
        if name == "created_at":
            assert str(column.dtype).startswith("datetime64[us"), column.dtype
            data[name] = column.astype("int64").tolist()
        else:
            data[name] = [None if pandas.isna(value) else value for value in column]
    return "pandas", pandas.__version__, types, [dict(zip(data, row)) for row in zip(*data.values())]


def spark_parquet(export, names):
    # All of Spark stays on this machine, and none of its talk reaches the table.
    import pyspark

    spark = session()
    frame = spark.read.parquet(tree(export, "parquet"))
    chosen = ["unix_micros(created_at) AS created_at" if name == "created_at" else name for name in names]
    rows = [row.asDict() for row in frame.selectExpr(*chosen).collect()]
    types = dict(frame.dtypes)
    spark.stop()
    return "Spark", pyspark.__version__, types, rows


def clickhouse_parquet(export, names):
    import json

    import chdb

    source = f"file({literal(glob(export, 'parquet'))}, Parquet)"
    setting = "SETTINGS use_hive_partitioning = 1"
    described = chdb.query(f"DESCRIBE TABLE {source} {setting}", "JSONCompactEachRow").bytes().decode()
    types = {row[0]: row[1] for row in map(json.loads, described.splitlines())}
    chosen = ", ".join("toUnixTimestamp64Micro(created_at)" if name == "created_at" else name for name in names)
    exact = f"{setting}, output_format_json_quote_64bit_integers = 0"
    text = chdb.query(f"SELECT {chosen} FROM {source} {exact}", "JSONCompactEachRow").bytes().decode()
    rows = [dict(zip(names, json.loads(line))) for line in text.split("\n") if line]
    return "ClickHouse", chdb.engine_version, types, rows


#: Format → its readers.
READERS = {
    "parquet": [
        duckdb_parquet,
        pyarrow_parquet,
        polars_parquet,
        pandas_parquet,
        spark_parquet,
        clickhouse_parquet,
    ],
}


def truth_rows(export, lines, columns):
    """Id → every column's value: from the event where it says it, else from the file's own row, whose law check.py holds."""
    files = sorted((pathlib.Path(export) / "parquet").rglob("*.parquet"))
    own = {row["id"]: row for path in files for row in pyarrow_rows(path, None)}
    for line in lines:
        event = parse(line)
        row = own[event.last("id")]
        for column in columns:
            if column["kind"] == "source":
                row[column["name"]] = coerce(value_at(event, column["pointer"]), column)
        row["context_json"] = member_text(line, "context")
    assert len(own) == len(lines), "rows and events differ in number"
    return own


def one_type(types, names):
    found = sorted({types.get(name, "missing") for name in names})
    return ", ".join(found)


def judge(truth, rows, names):
    """Per kind of value, whether each cell of that kind is what it should be."""
    by_id = {row["id"]: row for row in rows}
    cells = {"rows": "exact" if len(rows) == len(truth) and by_id.keys() == truth.keys() else "WRONG"}
    for kind, holds in KINDS.items():
        wanted = [(one, name) for one, row in truth.items() for name in names if holds(row[name])]
        assert wanted, f"no event has a value of this kind: {kind}"
        wrong = [
            (one, name)
            for one, name in wanted
            if one not in by_id
            or by_id[one][name] != truth[one][name]
            or type(by_id[one][name]) is not type(truth[one][name])
        ]
        cells[kind] = "exact" if not wrong else f"WRONG: {wrong[:2]}"
    # Nothing may turn into a null or an empty text, or out of one, that is of no other kind.
    same = all(by_id.get(one, {}).get(name) == row[name] for one, row in truth.items() for name in names)
    cells["all other values"] = "exact" if same else "WRONG"
    return cells


def control(truth, names):
    """The comparison finds what is planted: were it blind, every cell above would be `exact` too."""
    one = next(row["id"] for row in truth.values() if row["source_country"] == "0012")
    other = next(row["id"] for row in truth.values() if row["user_email"] == "")
    planted = [
        (one, "source_country", 12, "leading zeros"),
        (one, "source_country", "12", "leading zeros"),
        (one, "created_at", truth[one]["created_at"] + 1, "times"),
        (one, "context_json", "", "null"),
        (other, "user_email", None, "empty text"),
        (other, "event_type", "nan", "null"),
    ]
    for id, name, value, kind in planted:
        rows = [row | {name: value} if row["id"] == id else row for row in truth.values()]
        assert truth[id][name] != value, (name, value)
        found = judge(truth, rows, names)
        assert "WRONG" in found[kind] and found["all other values"] == "WRONG", (name, value, found)
    for rows in [list(truth.values())[1:], [*truth.values(), truth[one]]]:
        assert judge(truth, rows, names)["rows"] == "WRONG"
    assert set(judge(truth, list(truth.values()), names).values()) == {"exact"}


def main(export, truth, schemas, format):
    columns = load_columns(schemas)["columns"]
    names = [column["name"] for column in columns]
    times = [column["name"] for column in columns if column["arrow"] != "utf8"]
    texts = [name for name in names if name not in times]
    truth = truth_rows(export, read_truth(truth), columns)
    control(truth, names)
    seen = {}
    for reader in READERS[format]:
        name, version, types, rows = reader(export, names)
        cells = {
            "text columns": one_type(types, texts),
            "created_at": one_type(types, times),
            "event_date (path)": types.get("event_date", "not shown"),
        }
        seen[f"{name} {version}"] = cells | judge(truth, rows, names)
    print("| | " + " | ".join(seen) + " |")
    print("|---|" + "---|" * len(seen))
    for line in next(iter(seen.values())):
        print(f"| {line} | " + " | ".join(cells[line] for cells in seen.values()) + " |")
    return not any("WRONG" in cell for cells in seen.values() for cell in cells.values())


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
