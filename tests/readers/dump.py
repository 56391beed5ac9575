"""Prints every value and every piece of metadata of an export's data files, decompressed.

    dump.py EXPORT

What lives here: reading, by pyarrow. What this file must not know: what is looked for in it.
"""

import pathlib
import sys

import pyarrow.parquet as pq

for path in sorted((pathlib.Path(sys.argv[1]) / "parquet").rglob("*.parquet")):
    file = pq.ParquetFile(path)
    print(path.name, file.metadata.metadata, file.schema_arrow.metadata)
    for row in file.read().to_pylist():
        print("\n".join(f"{name}\t{value}" for name, value in row.items() if value is not None))
