"""Runs the SQL of the documents against an export, as a reader of them would.

    queries.py EXPORT_FOLDER_NAME DOCUMENT...

What lives here: taking ```sql blocks out of Markdown, statements out of printed text (.txt) and whole .sql files,
and running each statement with DuckDB in the current folder. Each must give at least one row: a query that finds nothing shows nothing. Where a document
names a folder other than EXPORT_FOLDER_NAME, the query would fail, which is the point.
"""

import pathlib
import re
import sys

import duckdb


#: What of a document is SQL.
BLOCKS = {".md": r"^```sql\n(.*?)^```", ".txt": r"^\s*((?:SELECT|WITH|FROM)\b.*?;)", ".sql": r"\A(.*)\Z"}


def statements(path):
    text = path.read_text("utf-8")
    for block in re.findall(BLOCKS[path.suffix], text, re.MULTILINE | re.DOTALL):
        without = re.sub(r"--.*", "", block)
        yield from (part.strip() for part in without.split(";") if part.strip())


def main(name, *documents):
    assert pathlib.Path(name).is_dir(), f"no folder {name}"
    engine = duckdb.connect()
    engine.execute("SET autoinstall_known_extensions = false")
    count = 0
    for document in map(pathlib.Path, documents):
        for statement in statements(document):
            rows = engine.execute(statement).fetchall()
            count += 1
            # A statement that defines something gives none, or a count.
            if not re.match(r"(create|set|install|load)\b", statement, re.IGNORECASE):
                assert rows, f"{document.name}: no row from: {statement}"
            print(f"{document.name}: {len(rows)} rows")
    assert count >= 3, f"only {count} statements"


if __name__ == "__main__":
    main(*sys.argv[1:])
