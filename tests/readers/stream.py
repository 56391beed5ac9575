"""Reads an Arrow IPC stream and holds it against the Parquet files of the same range.

    stream.py STREAM.arrow EXPORT

What lives here: pyarrow on both sides. What this file must not know: how the program works.
"""

import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def main(stream, export):
    with pa.OSFile(stream) as file, pa.ipc.open_stream(file) as reader:
        found = reader.read_all()
    files = sorted((pathlib.Path(export) / "parquet").rglob("*.parquet"))
    truth = pa.concat_tables([pq.ParquetFile(path).read() for path in files])
    assert found.schema.names == truth.schema.names
    assert found.schema.types == truth.schema.types, (found.schema, truth.schema)
    assert found.to_pylist() == truth.to_pylist()
    print(f"{found.num_rows} rows alike")


if __name__ == "__main__":
    main(*sys.argv[1:])
