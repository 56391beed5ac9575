"""Validates the documents under schemas/ and the example events against them.

    schemas.py SCHEMAS DATA_FOLDER

What lives here: JSON Schema 2020-12, judged by a validator that is not ours, and what the documents must say about
each other. What this file must not know: the program, Parquet.
"""

import copy
import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from referencing import Registry, Resource


def load(folder):
    """Path below the folder → document, for every JSON Schema."""
    paths = sorted(folder.rglob("*.schema.json"))
    return {path.relative_to(folder).as_posix(): json.loads(path.read_text("utf-8")) for path in paths}


def validators(documents):
    for name, document in documents.items():
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema", name
        Draft202012Validator.check_schema(document)
    registry = Registry().with_resources(
        (document["$id"], Resource.from_contents(document)) for document in documents.values()
    )
    return {name: Draft202012Validator(document, registry=registry) for name, document in documents.items()}


def properties(document, pointer=""):
    """Every property with an annotation, as (pointer, annotation)."""
    for name, inner in document.get("properties", {}).items():
        own = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if "x-vonage-audit" in inner:
            yield own, inner["x-vonage-audit"]
        yield from properties(inner, own)


def errors(event, validators):
    """What is wrong with an event, by the envelope and by its type's context."""
    found = [error.message for error in validators["event.schema.json"].iter_errors(event)]
    context = validators.get(f"context/{event.get('event_type')}.schema.json")
    if context is not None and "context" in event:
        found += [error.message for error in context.iter_errors(event["context"])]
    return found


def main(schemas, data):
    schemas, data = pathlib.Path(schemas), pathlib.Path(data)
    documents = load(schemas)
    checked = validators(documents)
    registry = [
        entry["type"] for entry in json.loads((schemas / "registry.json").read_text("utf-8"))["types"]
    ]
    contexts = {f"context/{name}.schema.json" for name in registry}
    assert len(registry) == 29 and contexts == documents.keys() - {"event.schema.json"} - {
        name for name in documents if name.startswith("_")
    }, "one context document for each event type"

    lock = {
        column["name"]: column
        for column in json.loads((schemas / "table.lock.json").read_text("utf-8"))["columns"]
    }
    sources = {name for name, column in lock.items() if column["kind"] == "source"}
    annotated = set()
    for name, document in documents.items():
        prefix = "" if name == "event.schema.json" else "/context"
        for pointer, annotation in properties(document, prefix):
            if annotation["status"] == "candidate":
                continue
            column = lock[annotation["column"]]
            if column["kind"] == "source":
                assert column["pointer"] == pointer, (
                    f"{name}: {pointer} is not the pointer of {column['name']}"
                )
                assert (column["arrow"], column["json"]) == (annotation["arrow"], annotation["json"]), (
                    name,
                    pointer,
                )
                annotated.add(column["name"])
    assert annotated == sources, f"columns without a schema: {sorted(sources - annotated)}"

    count = 0
    for path in sorted(data.glob("events-*.ndjson")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            count += 1
            event = json.loads(line)
            found = errors(event, checked)
            assert not found, f"{path.name}:{number}: {found}"
            # The control: a broken event must not pass.
            wrong = copy.deepcopy(event) | {"event_type": 7, "created_at": "yesterday"}
            assert len(errors(wrong, checked)) >= 2, f"{path.name}:{number}: a broken event passes"
    assert count > 30, f"only {count} examples"
    print(f"{len(documents)} schemas, {count} examples")


if __name__ == "__main__":
    main(*sys.argv[1:])
