"""JSON without loss, and the rebuild law, written a second time.

What lives here: reading JSON with number texts kept and repeated keys kept in order, cutting raw text out of it,
the table's coercion of one value, and rebuilding an event from its row. It is written from the documents under schemas/ alone
and shares nothing with the program, so that a mistake there is not a mistake here. What this file must not know:
Parquet, the API.
"""

import datetime
import json
import re

EPOCH = datetime.datetime(1970, 1, 1)
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))?\Z", re.ASCII
)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Number:
    """A number as its text: 1.0 is not 1, and 1e400 is not infinity."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Number) and self.text == other.text

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return f"Number({self.text})"


class Object(dict):
    """Key → list of all values that it had, in order."""

    def last(self, key):
        return self[key][-1]


def _object(pairs):
    found = Object()
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_no_constant, strict=True
)


def parse(text):
    """One JSON value. Equality of results is: member order ignored, strings by value, numbers by text."""
    return _DECODER.decode(text)


def members(text, at=0):
    """The members of the object at a position as (key, start, end) of their values in the text."""
    space = re.compile(r"[ \t\r\n]*")
    skip = lambda position: space.match(text, position).end()
    at = skip(at)
    if text[at] != "{":
        raise ValueError(f"no object at {at}: {text[at : at + 20]!r}")
    at = skip(at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = skip(at)
        if text[at] != ":":
            raise ValueError(f"no colon at {at}")
        start = skip(at + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield key, start, end
        at = skip(end)
        if text[at] == ",":
            at = skip(at + 1)


def elements(text, at=0):
    """The raw texts of the elements of the array at a position."""
    space = re.compile(r"[ \t\r\n]*")
    at = space.match(text, at).end()
    if text[at] != "[":
        raise ValueError(f"no array at {at}: {text[at : at + 20]!r}")
    at = space.match(text, at + 1).end()
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        at = space.match(text, end).end()
        if text[at] == ",":
            at = space.match(text, at + 1).end()


def member_text(text, name):
    """The raw text of the last member of this name; None if there is none."""
    found = None
    for key, start, end in members(text):
        if key == name:
            found = text[start:end]
    return found


def segments(pointer):
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


MISSING = object()


def value_at(event, pointer):
    """The value that a JSON pointer means; of a repeated key, the last."""
    for segment in segments(pointer):
        if not isinstance(event, Object) or segment not in event:
            return MISSING
        event = event.last(segment)
    return event


def micros(text):
    """Microseconds since 1970 of a `created_at`, read as UTC; None if it is no date."""
    found = TIME.match(text)
    if not found:
        return None
    *civil, fraction, sign, hours, minutes = found.groups()
    try:
        at = datetime.datetime(*map(int, civil))
    except ValueError:
        return None
    result = (at - EPOCH) // datetime.timedelta(microseconds=1)
    result += int(((fraction or "") + "000000")[:6])
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            return None
        offset = (int(hours) * 3600 + int(minutes) * 60) * 1_000_000
        result += -offset if sign == "+" else offset
    return result


def coerce(value, column):
    """What a source column of the table holds for a JSON value."""
    if value is MISSING or value is None or isinstance(value, (Object, list)):
        return None
    if isinstance(value, str) and ("\0" in value or LONE_SURROGATE.search(value)):
        return None
    if column["arrow"] != "utf8":
        return micros(value) if isinstance(value, str) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, Number) else value


def _inverse(value, column):
    if column["arrow"] != "utf8":
        at = EPOCH + datetime.timedelta(microseconds=value)
        text = f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}"
        return text + (f".{at.microsecond:06}" if at.microsecond else "")
    if column["json"] == "integer" and INTEGER.match(value) and value != "-0":
        return Number(value)
    return value


def _merge(event, remainder):
    for key, values in remainder.items():
        both = [values, event.get(key, [])]
        if all(len(side) == 1 and isinstance(side[0], Object) for side in both):
            _merge(event[key][0], values[0])
        else:
            event[key] = values


def rebuild(row, columns):
    """The event again, from its source columns, its context's text and the remainder alone.

    The context comes from `context_json` alone: the typed context columns are a copy of what it holds.
    """
    event = Object()
    for column in columns:
        pointer = column["pointer"]
        if column["kind"] != "source" or pointer.startswith("/context/") or row[column["name"]] is None:
            continue
        target, (*path, last) = event, segments(pointer)
        for segment in path:
            target = target.setdefault(segment, [Object()])[0]
        target[last] = [_inverse(row[column["name"]], column)]
    if row["context_json"] is not None:
        event["context"] = [parse(row["context_json"])]
    if row["unmapped_json"] is not None:
        _merge(event, parse(row["unmapped_json"]))
    return event
