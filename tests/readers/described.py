"""Reads CSV files by their CSV on the Web description, with a library that is not ours.

    described.py EXPORT WORK

What lives here: the description held against each file, and the types that come back. What this file must not know: how
the program works.
"""

import datetime
import json
import pathlib
import shutil
import sys

from csvw import CSVW


def main(export, work):
    export, work = pathlib.Path(export), pathlib.Path(work)
    (path,) = (export / "_audit/csvw").glob("*.json")
    document = json.loads(path.read_text("utf-8"))
    count, files = 0, sorted((export / "csv").rglob("*.csv"))
    work.mkdir()
    for file in files:
        # The document names a pattern; a processor is told which file it is about.
        shutil.copy(file, work / file.name)
        (work / "metadata.json").write_text(json.dumps(document | {"url": file.name}), "utf-8")
        described = CSVW(str(work / "metadata.json"))
        assert described.is_valid and not described.warnings, described.warnings
        (table,) = described.tables
        for row in table:
            count += 1
            assert list(row) == [column["name"] for column in document["tableSchema"]["columns"]]
            assert isinstance(row["created_at"], datetime.datetime) and row["created_at"].tzinfo, row["created_at"]
            assert isinstance(row["id"], str)
    # It can say no: a value that is no time.
    text = (work / files[0].name).read_text("utf-8")
    (work / files[0].name).write_text(text.replace("T", "X"), "utf-8")
    (work / "metadata.json").write_text(json.dumps(document | {"url": files[0].name}), "utf-8")
    assert not CSVW(str(work / "metadata.json")).is_valid
    print(f"{count} rows in {len(files)} files, valid")


if __name__ == "__main__":
    main(*sys.argv[1:])
