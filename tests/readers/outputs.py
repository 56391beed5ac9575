"""Holds what the program printed against the schemas under schemas/output/v1.

Usage: outputs.py SCHEMAS OUTPUTS, where OUTPUTS has files NAME.N.json. Each must be valid, hold no field at its top that its schema
does not name, and be refused without any one of the required fields.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

schemas, outputs = map(pathlib.Path, sys.argv[1:])
validators = {}
for path in sorted(schemas.glob("*.schema.json")):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    validators[path.name.removesuffix(".schema.json")] = Draft202012Validator(schema)

seen, refused = set(), 0
for path in sorted(outputs.glob("*.json")):
    name = path.name.split(".")[0]
    value = json.loads(path.read_text())
    validator = validators[name]
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    assert not errors, f"{path.name}: {errors}"
    unnamed = set(value) - set(validator.schema["properties"])
    assert not unnamed, f"{path.name}: the schema does not name {sorted(unnamed)}"
    for field in validator.schema["required"]:
        less = {key: inner for key, inner in value.items() if key != field}
        assert not validator.is_valid(less), f"{path.name}: valid without {field}"
        refused += 1
    seen.add(name)

assert seen == set(validators), f"no output of {sorted(set(validators) - seen)}"
print(f"{len(list(outputs.glob('*.json')))} outputs, {len(seen)} schemas, {refused} controls")
